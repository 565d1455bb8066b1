// `listeners[].proxyProtocol`: which peers say for whom they connect, in the first bytes of the connection.

import { type Infer, list, object, type PolicyProblem, problem, proxyProblem, text } from 'sallyport/settings'

export const proxyProtocolSchema = object(
  {
    from: list(
      text(
        {
          expected: 'an address or a range',
          mend: 'write an address, a range such as "10.0.0.0/8", "loopback" or "private"',
        },
        'An address, a range, "loopback" or "private".',
      ),
      'The proxies in front. Connections of all others are closed.',
      { min: 1, max: 1_000 },
    ),
  },
  'Every connection begins with a PROXY protocol header, version 1 or 2; one without is closed.',
)

/** Who may say for whom a connection is. */
export type ProxyProtocolSetting = Infer<typeof proxyProtocolSchema>

/** What the shape alone does not tell. */
export function proxyProtocolProblems(
  setting: ProxyProtocolSetting | undefined,
  path: string,
): readonly PolicyProblem[] {
  if (setting === undefined) return []
  if (setting.from === undefined)
    return [
      problem(
        path,
        'missing',
        'no peers here, and none is believed by default',
        setting,
        'write { from: ["10.0.0.5"] } with the addresses of the proxies in front',
      ),
    ]
  return setting.from.flatMap((entry, index) => proxyProblem(entry, `${path}.from[${index}]`))
}
