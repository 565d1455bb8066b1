// Which certificate serves which name: exact names first, then those one label below a wildcard (RFC 9525, section 6.3).

import type { X509Certificate } from 'node:crypto'

/** Finds by the name that a client asks for. */
export interface NameTable<T> {
  find(serverName: string): T | undefined
}

/** The DNS names of a certificate, in small letters. Names in its subject are not looked at: no client does. */
export function namesOf(certificate: X509Certificate): readonly string[] {
  // What is odd stands in quotes, and is no name that a client could ask for.
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .flatMap((entry) => /^DNS:((?:\*\.)?[A-Za-z0-9_.-]+)$/.exec(entry)?.[1]?.toLowerCase() ?? [])
}

/** The first that claims a name has it. */
export function nameTable<T>(
  entries: readonly (readonly [names: readonly string[], value: T])[],
): NameTable<T> {
  const exact = new Map<string, T>()
  const below = new Map<string, T>()
  for (const [names, value] of entries)
    for (const name of names) {
      const [table, key] = name.startsWith('*.') ? [below, name.slice(2)] : [exact, name]
      if (!table.has(key)) table.set(key, value)
    }
  return {
    find(serverName) {
      const name = serverName.toLowerCase()
      const found = exact.get(name)
      if (found !== undefined) return found
      const dot = name.indexOf('.')
      return dot > 0 ? below.get(name.slice(dot + 1)) : undefined
    },
  }
}
