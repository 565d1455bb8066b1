// The bytes of a request, and what it is called by a person: a line for curl.

import type { ProbeRequest } from '../../guard/control.ts'
import { authorityOf, originOf, type WireTarget } from './target.ts'

/** The method that decides how the answer's body is framed. */
export function methodOf(request: ProbeRequest): string {
  return 'raw' in request ? (/^[^ \r\n]{1,20}/.exec(request.raw)?.[0] ?? '') : request.method
}

/** The bytes to write, as text of one byte a character. */
export function bytesOf(target: WireTarget, request: ProbeRequest): string {
  const authority = authorityOf(target)
  if ('raw' in request) return request.raw.replaceAll('{host}', authority)
  const has = (name: string) => request.headers.some(([key]) => key.toLowerCase() === name)
  const body = request.body === undefined ? '' : Buffer.from(request.body, 'utf8').toString('latin1')
  const lines = [
    ...(has('host') ? [] : [['Host', authority]]),
    ...request.headers,
    ...(has('accept') ? [] : [['Accept', '*/*']]),
    ...(request.body === undefined || has('content-length') ? [] : [['Content-Length', String(body.length)]]),
    ...(has('connection') ? [] : [['Connection', 'close']]),
  ]
  return `${request.method} ${request.path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

const LONG = 400

/** A line that sends the same request from a shell; values of the headers in `secret` are left to the reader. */
export function curlLine(
  target: WireTarget,
  request: ProbeRequest,
  secret: Readonly<Record<string, string>> = {},
): string {
  const insecure = target.scheme === 'https' && (target.insecure || target.ca !== undefined) ? ' -k' : ''
  if ('raw' in request) {
    const bytes = request.raw.replaceAll('{host}', authorityOf(target))
    const shown = bytes.length > LONG ? `${bytes.slice(0, LONG)}…` : bytes
    const place = `${target.address ?? target.host}:${target.addressPort ?? target.port}`
    const to =
      target.scheme === 'https'
        ? `openssl s_client -quiet -connect ${place}`
        : `nc ${place.replace(/:(\d+)$/, ' $1')}`
    return `printf ${quote(shown.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('\0', '\\0'))} | ${to}`
  }
  const method = request.method === 'GET' ? '' : request.method === 'HEAD' ? ' -I' : ` -X ${request.method}`
  const headers = request.headers.map(([name, value]) => {
    const stand = Object.hasOwn(secret, name.toLowerCase()) ? secret[name.toLowerCase()]! : value
    return ` -H ${quote(`${name}: ${stand.length > LONG ? `${stand.slice(0, LONG)}…` : stand}`)}`
  })
  const body = request.body === undefined ? '' : ` --data-binary ${quote(request.body.slice(0, LONG))}`
  const include = method === ' -I' ? '' : ' -i'
  const resolve =
    target.address === undefined
      ? ''
      : ` --connect-to ${quote(`${target.host}:${target.port}:${target.address}:${target.addressPort ?? target.port}`)}`
  return `curl -s${include}${insecure}${method} --path-as-is${resolve}${headers.join('')}${body} ${quote(originOf(target) + request.path)}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
