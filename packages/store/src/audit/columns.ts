// What stands beside an entry, for search and retention, is not hashed: whoever can write to the database can say there what
// he likes. It is believed only where the entry says the same.

/** An entry with its columns. */
export interface EntryRow {
  readonly index: number
  readonly uid: string
  /** Milliseconds since the epoch. */
  readonly at: number | null
  readonly tenant: string | null
  readonly action: string
  readonly actor: string | null
  readonly risk: number | null
  readonly entry: string
}

/** Whether the columns say what the entry says; total. */
export function columnsHold(row: EntryRow): boolean {
  return looksRight(row) || isRight(row)
}

// The members of an entry stand in one order, and a quote within a text is escaped: these strings can be nowhere else. To
// read every entry as JSON would cost more than to hash it.
function looksRight({ index, uid, at, tenant, action, actor, risk, entry }: EntryRow): boolean {
  const metadata = `"event_code":"${action}","product":{"name":"Sallyport","vendor_name":"Sallyport"},"sequence":${index}${
    tenant === null ? '' : `,"tenant_uid":${JSON.stringify(tenant)}`
  },"uid":"${uid}","version"`
  return (
    entry.includes(metadata) &&
    entry.includes(`"time":${at},"type_uid"`) &&
    (actor === null
      ? entry.indexOf('"uid":') > entry.indexOf('"category_uid"')
      : entry.includes(`"uid":${JSON.stringify(actor)}}},"category_uid"`)) &&
    (risk === null ? !entry.includes('"risk_score":') : entry.includes(`"risk_score":${risk},"severity_id"`))
  )
}

function isRight({ index, uid, at, tenant, action, actor, risk, entry }: EntryRow): boolean {
  let read: Written
  try {
    read = JSON.parse(entry) as Written
  } catch {
    return false
  }
  const { metadata } = read
  return (
    metadata?.event_code === action &&
    metadata.sequence === index &&
    metadata.uid === uid &&
    read.time === at &&
    (read.risk_score ?? null) === risk &&
    isTextOf(metadata.tenant_uid, tenant) &&
    isTextOf(read.actor?.user?.uid, actor)
  )
}

interface Written {
  readonly time?: unknown
  readonly risk_score?: number
  readonly actor?: { readonly user?: { readonly uid?: string } }
  readonly metadata?: {
    readonly event_code?: unknown
    readonly sequence?: unknown
    readonly uid?: unknown
    readonly tenant_uid?: string
  }
}

// Texts of callers are cut and made plain in the entry.
function isTextOf(text: string | undefined, column: string | null): boolean {
  if (text === undefined || column === null) return text === undefined && column === null
  return text === column || text.endsWith('…') || text.includes('\ufffd')
}
