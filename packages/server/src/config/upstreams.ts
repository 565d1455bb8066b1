// `upstreams`: the APIs behind the gateway, by name.

import { type Infer, list, object, type PolicyProblem, problem, record, text } from 'sallyport/settings'
import { upstreamOrigin } from '../upstream/pool.ts'

export const upstreamsSchema = record(
  {
    pattern: /^[a-z][a-z0-9-]{0,62}$/,
    expected: 'small letters, digits and "-"',
    mend: 'write a name such as "api"',
  },
  object(
    {
      urls: list(
        text({ expected: 'an http or https origin', mend: 'write "http://127.0.0.1:9000"' }, 'An origin.'),
        'Where it is; one.',
        { min: 1, max: 1 },
      ),
    },
    'An API.',
  ),
  'The API behind the gateway, under a name; one.',
)

type Upstreams = Infer<typeof upstreamsSchema>

export function upstreamsProblems(upstreams: Upstreams | undefined): readonly PolicyProblem[] {
  if (upstreams === undefined) return []
  const names = Object.keys(upstreams)
  if (names.length !== 1)
    return [problem('upstreams', 'value', 'expected one upstream', names, 'keep one of them')]
  return names.flatMap((name) => {
    const [url] = upstreams[name]?.urls ?? []
    const path = `upstreams[${JSON.stringify(name)}].urls`
    if (url === undefined)
      return [problem(path, 'missing', 'no URL here', undefined, 'write ["http://127.0.0.1:9000"]')]
    try {
      upstreamOrigin(url)
      return []
    } catch (error) {
      const { message } = error as Error
      const [what = '', mend = ''] = message.replace(/^upstream: /, '').split('; ')
      // What was received stands in the message, where it may be shown.
      return [problem(`${path}[0]`, 'value', what, undefined, mend)]
    }
  })
}
