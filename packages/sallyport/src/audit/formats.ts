// The forms in which entries leave the log: JSON lines as they are kept, syslog (RFC 5424), CEF.

/** An entry as read from the log: the OCSF object. */
export interface ReadEntry {
  readonly metadata: {
    readonly event_code: string
    readonly sequence: number
    readonly tenant_uid?: string
    readonly correlation_uid?: string
  }
  readonly severity_id: number
  readonly time: number
  readonly message: string
  readonly status_id: number
  readonly status_code?: string
  readonly risk_score?: number
  readonly actor?: { readonly user?: { readonly uid?: string; readonly credential_uid?: string } }
  readonly src_endpoint?: { readonly ip?: string }
  readonly resource?: { readonly uid?: string }
}

// RFC 5424, section 6.2.1: facility 13 is log audit; severities of OCSF as notice, warning, error, critical.
const FACILITY = 13
const SYSLOG_SEVERITY = [6, 6, 5, 4, 3, 2] as const

/** RFC 5424, section 6.3.3: the three characters that end or begin something inside a parameter. */
function parameter(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : ` ${name}="${String(value).replace(/["\\\]]/g, '\\$&')}"`
}

// A header field holds printable ASCII without spaces (section 6).
function headerField(value: string, max: number): string {
  return value.replace(/[^\x21-\x7e]/g, '_').slice(0, max) || '-'
}

/**
 * One message of RFC 5424 in UTF-8, with the entry itself as its text.
 *
 * @param host the name of this machine or service
 */
export function syslogLine(entry: ReadEntry, json: string, host: string): string {
  const { metadata, severity_id, time, actor, src_endpoint, risk_score } = entry
  const priority = FACILITY * 8 + (SYSLOG_SEVERITY[severity_id] ?? 5)
  const data = [
    parameter('sequence', metadata.sequence),
    parameter('tenant', metadata.tenant_uid),
    parameter('actor', actor?.user?.uid),
    parameter('address', src_endpoint?.ip),
    parameter('risk', risk_score),
  ].join('')
  const at = new Date(time).toISOString()
  // 32473 is the enterprise number that RFC 5612 sets aside for documentation; ours has none of its own.
  return `<${priority}>1 ${at} ${headerField(host, 255)} sallyport - ${headerField(metadata.event_code, 32)} [sallyport@32473${data}] \ufeff${json}`
}

const CEF_SEVERITY = [0, 1, 3, 6, 8, 10] as const

function cefHeader(value: string): string {
  return value.replace(/[|\\]/g, '\\$&').replace(/[\r\n]/g, ' ')
}

function cefField(name: string, value: string | number | undefined): readonly string[] {
  if (value === undefined) return []
  return [`${name}=${String(value).replace(/[=\\]/g, '\\$&').replace(/\r/g, '\\r').replace(/\n/g, '\\n')}`]
}

/** One event of ArcSight's Common Event Format, version 0. */
export function cefLine(entry: ReadEntry, version: string): string {
  const { metadata, severity_id, time, message, status_code, actor, src_endpoint, resource, risk_score } =
    entry
  const head = ['CEF:0', 'Sallyport', 'Sallyport', version, metadata.event_code, message].map(
    (part, index) => (index === 0 ? part : cefHeader(part)),
  )
  const fields = [
    ...cefField('rt', time),
    ...cefField('externalId', metadata.sequence),
    ...cefField('outcome', entry.status_id === 1 ? 'success' : 'failure'),
    ...cefField('reason', status_code),
    ...cefField('suid', actor?.user?.uid),
    ...cefField('src', isIpv4(src_endpoint?.ip) ? src_endpoint?.ip : undefined),
    ...cefField('c6a2', isIpv4(src_endpoint?.ip) ? undefined : src_endpoint?.ip),
    ...cefField('duid', resource?.uid),
    ...cefField('cn1', risk_score),
    ...(risk_score === undefined ? [] : ['cn1Label=risk']),
  ]
  return `${[...head, String(CEF_SEVERITY[severity_id] ?? 3)].join('|')}|${fields.join(' ')}`
}

function isIpv4(address: string | undefined): boolean {
  return address !== undefined && /^[\d.]{7,15}$/.test(address)
}
