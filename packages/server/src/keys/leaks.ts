// Answers reports of keys that leaked, where the policy takes them.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PolicyDocument, Services } from 'sallyport'
import { KEY_LEAKS_MAX_BYTES, KEY_LEAKS_PATH, type LeakReports, leakReports } from 'sallyport/keys'
import { type Exchange, respondWithCode } from 'sallyport/node'

/** Answers a request where it is such a report; false where it is none. */
export type AnswerLeaks = (request: IncomingMessage, response: ServerResponse, exchange: Exchange) => boolean

/** Makes the answerer; without anything that knows keys it answers nothing. */
export function keyLeaks({ keys }: Services): AnswerLeaks {
  const reports = keys && leakReports(keys)
  return (request, response, exchange) => {
    if (reports === undefined || exchange.path !== KEY_LEAKS_PATH || request.method !== 'POST') return false
    const setting = exchange.cell.settings['keys'] as PolicyDocument['keys']
    if (!setting?.leakReports || setting.mode === 'off') return false
    void answer(reports, setting.leakReports.githubKeys, request, response, exchange)
    return true
  }
}

async function answer(
  reports: LeakReports,
  githubKeys: Readonly<Record<string, string>> | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
): Promise<void> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > KEY_LEAKS_MAX_BYTES) {
        respondWithCode(request, response, exchange, 'body_too_large')
        return
      }
      chunks.push(chunk)
    }
  } catch {
    // The caller went away, or was refused for its body: nobody is left to answer.
    return
  }
  const status = await reports.take(Buffer.concat(chunks), (name) => exchange.header(name), githubKeys)
  if (response.headersSent) return
  if (status === 503) respondWithCode(request, response, exchange, 'overloaded', [['Retry-After', '5']])
  else {
    response.writeHead(status, ['Content-Length', '0'])
    response.end()
  }
}
