// Origins made up from a listed one: a member of a pattern, and strangers who look like it.

import { isOriginFault, type ListedOrigin, parseOrigin } from './origin.ts'

/** An origin that the entry covers. */
export function exampleOrigin(text: string, label = 'sallyport-probe'): string {
  return text.replace('*', label)
}

/**
 * Origins that a careless comparison would take for the listed one, each with a name: prefix, suffix, unescaped dot,
 * underscore, backtick, another port, a trailing dot, another scheme, the domain above, a name below.
 */
export function lookAlikes(listed: ListedOrigin): readonly (readonly [name: string, origin: string])[] {
  const { scheme, host, port, isPattern } = listed
  const at = (name: string, portText = port === '' ? '' : `:${port}`, by: string = scheme) =>
    `${by}://${name}${portText}`
  // For a pattern the host itself is a stranger, and so is a name that merely ends like it.
  const name = isPattern ? `a.${host}` : host
  const made: (readonly [string, string])[] = [
    ['suffix', at(`${name}.evil.example`)],
    ['prefix', at(`evil${host}`)],
    ['underscore', at(`${name}_.evil.example`)],
    ['port', at(name, port === '8444' ? ':8445' : ':8444')],
    ['trailing-dot', at(`${name}.`)],
    ['scheme', at(name, undefined, scheme === 'https' ? 'http' : 'https')],
  ]
  if (host.includes('.') && !/\d$/.test(host)) {
    made.push(['dot', at(name.replace(/\.(?=[^.]*$)/, 'x'))], ['backtick', at(`${name}\`.evil.example`)])
    if (isPattern) made.push(['above', at(host)])
    else made.push(['below', at(`sallyport-probe.${name}`)], ['above', at(name.replace(/^[^.]*\./, ''))])
  }
  return made.filter(([, origin]) => !covers(listed, origin))
}

// An IPv6 address or a number makes some look-alikes no origins at all; they may be sent all the same.
function covers(listed: ListedOrigin, origin: string): boolean {
  const parsed = parseOrigin(origin)
  return !isOriginFault(parsed) && parsed.text === listed.text
}
