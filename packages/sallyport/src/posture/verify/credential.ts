// Credentials that a run may show, by role. They are sent, and never written anywhere.

import type { ProbeRequest } from '../../guard/control.ts'

/** A header that identifies a role. */
export interface Credential {
  readonly role: string
  readonly header: string
  readonly value: string
}

/** The request, as the role sends it. */
export function withCredential(request: ProbeRequest, { header, value }: Credential): ProbeRequest {
  return 'raw' in request ? request : { ...request, headers: [...request.headers, [header, value]] }
}

/**
 * Reads `role=header:value`; a value that begins with `@` names a variable of the environment that holds it.
 *
 * @throws TypeError, without the value
 */
export function readCredential(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Credential {
  const match = /^([\w-]{1,50})=([!#$%&'*+\-.^`|~\w]{1,100}):[ \t]*([^\r\n]+)$/.exec(text)
  if (!match) throw new TypeError('expected role=header:value, such as user=authorization:@USER_TOKEN')
  const [, role = '', header = '', given = ''] = match
  if (!given.startsWith('@')) return { role, header, value: given }
  const name = given.slice(1)
  const value = environment[name]
  if (value === undefined || value === '' || /[\r\n]/.test(value))
    throw new TypeError(`the variable ${name} of the environment must hold one line`)
  return { role, header, value }
}

/** Takes secrets out of a text. */
export function redactor(credentials: readonly Credential[]): (text: string) => string {
  // Of "Bearer abc…" the second half alone is a secret too. Short words would blot out the report.
  const secrets = credentials
    .flatMap(({ value }) => [value, ...value.split(/[ \t;,=]+/).filter((part) => part.length >= 8)])
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length)
  return (text) => secrets.reduce((left, secret) => left.replaceAll(secret, '[credential]'), text)
}

/** What stands for a credential in a line for curl. */
export function standIns(credentials: readonly Credential[]) {
  return (role: string | undefined): Readonly<Record<string, string>> =>
    Object.fromEntries(
      credentials
        .filter((each) => each.role === role)
        .map(({ header }) => [
          header.toLowerCase(),
          `$${role!.toUpperCase().replaceAll('-', '_')}_CREDENTIAL`,
        ]),
    )
}
