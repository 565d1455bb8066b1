// The texts in a body as a reader would see them: JSON strings decoded, also where JSON stands inside JSON, and markup
// undone. Marks of a leak are anchored to lines, and escaped line ends hide them.

// Deeper nesting than this is no accident; what lies below is read as it stands.
const MAX_DEPTH = 4
// A body is read this far; characters.
const MAX_LENGTH = 262_144
const MAX_TEXTS = 2_000

/** Every text of a body, the body itself among them. */
export function textsOf(body: string): readonly string[] {
  const texts: string[] = []
  collect(body.slice(0, MAX_LENGTH), 0, texts)
  return texts
}

function collect(text: string, depth: number, texts: string[]): void {
  if (texts.length >= MAX_TEXTS) return
  texts.push(text.includes('&') || text.includes('<') ? withoutMarkup(text) : text)
  if (depth >= MAX_DEPTH) return
  const start = text.trimStart()[0]
  if (start !== '{' && start !== '[' && start !== '"') {
    // A text that was escaped once more than it should have been.
    if (/\\n|\\u00|\\"/.test(text)) texts.push(unescaped(text))
    return
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Cut off or several in a row: its strings are still there.
    texts.push(unescaped(text))
    return
  }
  walk(value, depth + 1, texts)
}

function walk(value: unknown, depth: number, texts: string[]): void {
  const pending: unknown[] = [value]
  while (pending.length > 0 && texts.length < MAX_TEXTS) {
    const each = pending.pop()
    if (typeof each === 'string') collect(each, depth, texts)
    else if (Array.isArray(each)) {
      // A list of frames is a stack: its lines belong together.
      if (each.length > 1 && each.every((item) => typeof item === 'string')) texts.push(each.join('\n'))
      for (const item of each) pending.push(item)
    } else if (typeof each === 'object' && each !== null)
      for (const [key, item] of Object.entries(each)) {
        // The name of a field is part of what it tells.
        if (typeof item === 'string' || typeof item === 'number') texts.push(`${key}: ${item}`)
        pending.push(item)
      }
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  '#39': "'",
  '#x27': "'",
  '#34': '"',
}

function withoutMarkup(text: string): string {
  return text
    .replace(/<br\s*\/?>|<\/(?:p|div|li|tr|pre|h[1-6])>/gi, '\n')
    .replace(/<[a-z!/][^<>]{0,500}>/gi, '')
    .replace(/&(#?\w{1,8});/g, (entity, name: string) => ENTITIES[name.toLowerCase()] ?? entity)
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '/': '/',
  '\\': '\\',
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u00([0-9a-fA-F]{2})|([nrt"/\\]))/g, (_all, hex?: string, plain?: string) =>
    hex === undefined ? ESCAPES[plain!]! : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
