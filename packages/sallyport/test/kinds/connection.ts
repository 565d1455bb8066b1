// What the tests of connections share: a policy with limits, an app under it, requests to write, answers to judge.

import assert from 'node:assert/strict'
import type { RequestListener, Server } from 'node:http'
import { createServer, type PolicyDocument } from '../../src/adapters/node/index.ts'
import { listening, type Running } from './listen.ts'
import { type Answer, valuesOf } from './wire.ts'

export const policy: PolicyDocument = {
  extends: 'api',
  cors: { origins: ['https://app.example.com'], bearer: 'listed' },
  request: { maxBodyBytes: 1_000, nonCanonical: 'refuse' },
}

/** Runs an app under the policy for as long as it is used. */
export async function withServer<T>(
  handler: RequestListener,
  use: (app: Running, server: Server) => Promise<T>,
): Promise<T> {
  const server = createServer(policy, handler)
  const app = await listening(server)
  try {
    return await use(app, server)
  } finally {
    await app.close()
  }
}

/** A GET that keeps the connection. */
export function get(path: string, ...headers: readonly string[]): string {
  return `${[`GET ${path} HTTP/1.1`, 'Host: a.example', ...headers].join('\r\n')}\r\n\r\n`
}

/** The request after which nothing more comes. */
export const LAST = get('/last', 'Connection: close')
export const echoPath: RequestListener = (request, response) => void response.end(`own ${request.url}`)

/** Wants headers of the policy on an answer. */
export function isGuarded(answer: Answer): void {
  assert.deepEqual(valuesOf(answer, 'X-Content-Type-Options'), ['nosniff'])
  assert.deepEqual(valuesOf(answer, 'X-Frame-Options'), ['SAMEORIGIN'])
}
