// The oldest Node that can run us: the first whose stable releases strip types, with the fixes of its HTTP parser.

const OLDEST = [22, 19] as const

/** One line about a Node that is too old, or `undefined`. */
export function nodeFault(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined
  return `needs Node.js ${OLDEST.join('.')} or newer, and this is ${version}; install a newer one from https://nodejs.org`
}
