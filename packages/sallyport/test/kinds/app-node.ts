// The app under test on plain node:http, without a framework. Each route writes its head in another of Node's forms.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { forms, WEAKER } from './hostile.ts'
import { BODY_LIMIT, SECRET } from './kinds.ts'

const JSON_TYPE = ['Content-Type', 'application/json'] as const

/** Serves the routes of ROUTES; with weaker headers of its own, where it is careless. */
export function nodeHandler(
  careless: boolean,
): (request: IncomingMessage, response: ServerResponse) => unknown {
  const weaker = careless ? WEAKER : []
  const answer = (
    response: ServerResponse,
    form: string,
    status: number,
    headers: readonly (readonly [string, string])[] = [],
    body = '',
  ) => {
    forms[form]!(response, status, [...weaker, ...headers])
    response.end(body)
  }
  return function handle(request, response) {
    const path = (request.url ?? '').split('?')[0]!
    const route = `${request.method === 'HEAD' ? 'GET' : request.method} ${path}`
    switch (route) {
      case 'GET /ok':
        return answer(response, 'object', 200, [JSON_TYPE], '{"ok":true}')
      case 'GET /empty':
        return answer(response, 'flat', 204)
      case 'GET /same':
        return answer(response, 'setHeader', 304, [['ETag', '"1"']])
      case 'GET /moved':
        return answer(response, 'nested', 302, [['Location', '/ok']])
      case 'POST /echo':
        return echo(request, response, answer)
      case 'GET /throws':
        forms.setHeader!(response, 200, weaker)
        throw new Error(SECRET)
      case 'GET /rejects':
        return Promise.reject(new Error(SECRET))
      case 'GET /unauthorized':
        return answer(response, 'appended', 401, [['WWW-Authenticate', 'Bearer']])
      case 'GET /forbidden':
        return answer(response, 'set, then object', 403, [JSON_TYPE], '{}')
      case 'OPTIONS /ok':
        return answer(response, 'map', 204, [['Allow', 'GET, HEAD, OPTIONS']])
      case 'GET /events':
        forms['duplicates in a flat list']!(response, 200, [...weaker, ['Content-Type', 'text/event-stream']])
        return response.write('data: 1\n\n')
      case 'GET /broken':
        forms.object!(response, 200, [...weaker, ['Content-Type', 'application/octet-stream']])
        return response.write('half', () => request.socket.destroySoon())
    }
    if (/^GET \/items\//.test(route)) return item(path, response, answer)
    return answer(response, 'removed', 404, [JSON_TYPE], '{"message":"not found"}')
  }
}

type AnswerWith = (
  response: ServerResponse,
  form: string,
  status: number,
  headers?: readonly (readonly [string, string])[],
  body?: string,
) => void

function item(path: string, response: ServerResponse, answer: AnswerWith): void {
  try {
    decodeURIComponent(path)
    answer(response, 'setHeader', 200, [JSON_TYPE], '{}')
  } catch {
    answer(response, 'flat', 400, [JSON_TYPE], '{"message":"malformed"}')
  }
}

async function echo(request: IncomingMessage, response: ServerResponse, answer: AnswerWith): Promise<void> {
  let body = ''
  for await (const chunk of request) body += chunk
  if (body.length > BODY_LIMIT) return answer(response, 'object', 413)
  try {
    JSON.parse(body)
    answer(response, 'flat', 200, [JSON_TYPE], body)
  } catch {
    answer(response, 'flat', 400, [JSON_TYPE], '{"message":"not JSON"}')
  }
}
