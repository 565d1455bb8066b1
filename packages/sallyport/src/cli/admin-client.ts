// Asks the admin listener of a running gateway.

import { request } from 'node:http'
import { resolve } from 'node:path'
import { show } from '../policy/problem.ts'
import { Failure } from './failure.ts'

const ANSWER_MS = 10_000
const MAX_BYTES = 64 * 1024 * 1024

/**
 * Reads a path of the admin listener as JSON.
 *
 * @param where `127.0.0.1:9901`, `http://127.0.0.1:9901` or `unix:/run/sallyport.sock`
 * @throws Failure where nobody answers, or not with JSON
 */
export async function askAdmin(where: string, path: string, directory: string): Promise<unknown> {
  const { status, body } = await get(addressOf(where, directory), path).catch(
    (error: NodeJS.ErrnoException) => {
      throw new Failure(
        `no gateway answers at ${where} (${error.code ?? error.message}); start one with "sallyport serve", or name its admin listener with --admin`,
        { cause: error },
      )
    },
  )
  try {
    if (status === 200) return JSON.parse(body)
  } catch {
    // Said below.
  }
  throw new Failure(
    `${where} answered ${status}, not as the admin listener of a gateway; name the one that "sallyport serve" prints`,
  )
}

function addressOf(
  where: string,
  directory: string,
): { socketPath: string } | { host: string; port: string } {
  if (where.startsWith('unix:')) return { socketPath: resolve(directory, where.slice(5)) }
  const text = where.includes('://') ? where : `http://${where}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.protocol !== 'http:' || url.pathname !== '/')
    throw new Failure(
      `--admin: expected HOST:PORT or unix:PATH, received ${show(where)}; write 127.0.0.1:9901`,
    )
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || '80' }
}

function get(
  address: ReturnType<typeof addressOf>,
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((fulfil, reject) => {
    const asking = request({ ...address, path, agent: false, timeout: ANSWER_MS }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
        if (body.length > MAX_BYTES) response.destroy(new Error('the answer is too long'))
      })
      response.on('end', () => fulfil({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    })
    asking.on('timeout', () => asking.destroy(new Error('no answer in time')))
    asking.on('error', reject)
    asking.end()
  })
}
