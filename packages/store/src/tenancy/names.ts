// Names in SQL: quoted where the grammar needs it (PostgreSQL 15, section 4.1.1).

// Words that need quotes as names of tables or columns, as the manual's appendix C lists them as reserved.
const RESERVED = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
concurrently constraint create cross current_catalog current_date current_role current_schema current_time
current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from
full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning
right select session_user similar some symmetric table tablesample then to trailing true union unique user using
variadic verbose when where window with`.split(/\s/),
)

/** `orders`, `"Order"`. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** `shop.orders`; tables of the schema `public` go without it. */
export function qualified(schema: string, name: string): string {
  return schema === 'public' ? quoted(name) : `${quoted(schema)}.${quoted(name)}`
}

/** A name of an object made of parts, within the 63 bytes that PostgreSQL keeps of it. */
export function joined(...parts: readonly string[]): string {
  const whole = parts.join('_')
  if (Buffer.byteLength(whole) <= 63) return whole
  let hash = 0x811c9dc5
  for (let i = 0; i < whole.length; i++) hash = Math.imul(hash ^ whole.charCodeAt(i), 0x01000193)
  const tail = `_${(hash >>> 0).toString(36)}`
  let head = whole
  while (Buffer.byteLength(head) + tail.length > 63) head = head.slice(0, -1)
  return head + tail
}

/** `'shop'`: a name as a text; the same whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  const quotes = text.replaceAll("'", "''")
  return quotes.includes('\\') ? `E'${quotes.replaceAll('\\', '\\\\')}'` : `'${quotes}'`
}
