// Commands by which a reader checks the page without trusting it: one for each kind of probe, and what no probe sends.

import type { Probe, ProbeRequest } from '../../guard/control.ts'
import { type ResolvedPolicy, resolvedFor } from '../../guard/resolve.ts'
import { controls } from '../register.ts'

/** A command, and all that its answer shows. */
export interface ProofCommand {
  readonly command: string
  readonly shows: readonly { readonly control: string; readonly claim: string }[]
}

// What a reader would not paste: the bytes of an oversize request.
const MAX_COMMAND = 600

/** The commands of a policy. */
export function proofCommands(policy: ResolvedPolicy, origin: string): readonly ProofCommand[] {
  const { host, hostname, port, protocol } = new URL(origin)
  const found = new Map<string, { control: string; claim: string }[]>()
  const say = (control: string, claim: string, command: string): void => {
    if (command.length > MAX_COMMAND) return
    const shows = found.get(command) ?? []
    found.set(command, [...shows, { control, claim }])
  }
  say('all', 'every claim of this page at once', `npx sallyport verify ${origin}`)
  say(
    'headers',
    'the same headers on an answer that is an error',
    curl({ method: 'GET', path: '/no-such-path', headers: [] }, origin),
  )
  if (protocol === 'https:')
    say(
      'transport',
      'the version of TLS and the certificate',
      `openssl s_client -connect ${hostname}:${port || '443'} -servername ${hostname} -brief </dev/null`,
    )
  const seen = new Set<string>()
  const probes = controls.flatMap((control) =>
    typeof control.probe === 'function'
      ? control.probe(resolvedFor(policy, control)).map((probe) => [control.name, probe] as const)
      : [],
  )
  for (const [control, probe] of probes) {
    const kind = kindOf(probe)
    if (seen.has(kind)) continue
    seen.add(kind)
    say(control, probe.title, commandOf(probe.request, origin, host))
  }
  return Array.from(found, ([command, shows]) => ({ command, shows }))
}

// `cors/preflight-denied GET /v1/status` and the same of another cell are one kind.
function kindOf({ id }: Probe): string {
  return id.split(' ', 1)[0]!
}

function commandOf(request: ProbeRequest, origin: string, host: string): string {
  if (!('raw' in request)) return curl(request, origin)
  const { hostname, port, protocol } = new URL(origin)
  const bytes = quoted(printfEscaped(request.raw.replaceAll('{host}', host)))
  const pipe =
    protocol === 'https:'
      ? `openssl s_client -quiet -connect ${hostname}:${port || '443'} -servername ${hostname}`
      : `nc ${hostname} ${port || '80'}`
  return `printf ${bytes} | ${pipe}`
}

function curl(request: Exclude<ProbeRequest, { readonly raw: string }>, origin: string): string {
  const { method, path, headers, body } = request
  const parts = ['curl -s']
  if (method === 'HEAD') parts.push('-I')
  else {
    parts.push('-i')
    if (method !== 'GET') parts.push(`-X ${method}`)
  }
  // curl would otherwise mend the very path that is to be shown.
  if (/(?:^|\/)\.{1,2}(?:\/|$)|\/\//.test(path)) parts.push('--path-as-is')
  for (const [name, value] of headers) parts.push(`-H ${quoted(`${name}: ${value}`)}`)
  if (body !== undefined) parts.push(`--data-binary ${quoted(body.length > 200 ? '@large-body' : body)}`)
  parts.push(quotedUrl(`${origin}${path}`))
  return parts.join(' ')
}

function quotedUrl(url: string): string {
  return /^[\w:/.-]+$/.test(url) ? url : quoted(url)
}

// POSIX: nothing is special between single quotes but the quote itself.
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function printfEscaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('%', '%%')
    .replace(/[^\x20-\x7e]/g, (character) => {
      if (character === '\r') return '\\r'
      if (character === '\n') return '\\n'
      return Array.from(
        new TextEncoder().encode(character),
        (byte) => `\\${byte.toString(8).padStart(3, '0')}`,
      ).join('')
    })
}
