// The text of security.txt (RFC 9116): written from the setting, and read back for signed texts and probes.

import { type DisclosureSetting, PGP_KEY_PATH, POLICY_PAGE_PATH, type SecurityTxtSetting } from './setting.ts'

/** One line, its name as the RFC writes it. */
export type Field = readonly [name: string, value: string]

/**
 * The fields, in the order of the RFC. Encryption and Policy point to our own pages where the setting names no
 * others and says, by `canonical`, at which origin they stand: the RFC asks for full URIs.
 */
export function fieldsOf(setting: DisclosureSetting, file: SecurityTxtSetting): readonly Field[] {
  const origin = originOf(file)
  const derived = (served: boolean, path: string) =>
    served && origin !== undefined ? [`${origin}${path}`] : []
  const each = (name: string, values: readonly string[] = []) => values.map((value): Field => [name, value])
  const languages = file.preferredLanguages ?? []
  return [
    ...each('Contact', file.contact),
    ...each('Expires', file.expires === undefined ? [] : [file.expires]),
    ...each('Encryption', file.encryption ?? derived(Boolean(setting.pgpKey), PGP_KEY_PATH)),
    ...each('Acknowledgments', file.acknowledgments),
    ...each('Preferred-Languages', languages.length > 0 ? [languages.join(', ')] : []),
    ...each('Canonical', file.canonical),
    ...each('Policy', file.policy ?? derived(Boolean(setting.policyPage), POLICY_PAGE_PATH)),
    ...each('Hiring', file.hiring),
    ...each('CSAF', file.csaf),
  ]
}

function originOf(file: SecurityTxtSetting): string | undefined {
  const first = file.canonical?.[0]
  return first !== undefined && URL.canParse(first) ? new URL(first).origin : undefined
}

/** The file as it is served. */
export function securityTxtBody(setting: DisclosureSetting, file: SecurityTxtSetting): string {
  if (file.signed !== undefined) return file.signed
  return fieldsOf(setting, file)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')
}

const SIGNED = '-----BEGIN PGP SIGNED MESSAGE-----'
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----'
const END = '-----END PGP SIGNATURE-----'

/** A file as it is read. */
export interface SecurityTxt {
  /** In order; names as written. */
  readonly fields: readonly Field[]
  /** True where the file has the form of a clear-signed text; the signature itself is not checked. */
  readonly signed: boolean
}

/** Reads any text: what is no field is passed over (RFC 9116, section 4). */
export function parseSecurityTxt(text: string): SecurityTxt {
  const lines = text.split(/\r?\n/)
  const signedLines = clearText(lines)
  const fields: Field[] = []
  for (const line of signedLines ?? lines) {
    const colon = line.indexOf(':')
    if (colon > 0 && /^[!-9;-~]+$/.test(line.slice(0, colon)) && !line.startsWith('#'))
      fields.push([line.slice(0, colon), line.slice(colon + 1).trim()])
  }
  return { fields, signed: signedLines !== undefined }
}

// RFC 9580, section 7: armour headers up to an empty line, then the text with its dashes escaped. Nothing outside
// counts: it isn't signed.
function clearText(lines: readonly string[]): readonly string[] | undefined {
  const begin = lines.indexOf(SIGNED)
  if (begin !== 0) return undefined
  const blank = lines.indexOf('', begin)
  const signature = lines.indexOf(SIGNATURE, blank)
  if (blank < 0 || signature < 0 || lines.indexOf(END, signature) < 0) return undefined
  return lines.slice(blank + 1, signature).map((line) => (line.startsWith('- ') ? line.slice(2) : line))
}

/** The values of a field, whose name may be in any case (RFC 9116, section 2.2). */
export function valuesOf(file: SecurityTxt, name: string): readonly string[] {
  return file.fields.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}
