// Answers `/v1/status` and `/v1/status/stream`, both under the policy's cells for these paths.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Exchange, respondWithCode } from 'sallyport/node'
import type { StatusReport } from './counts.ts'
import type { StatusStream } from './stream.ts'

const STATUS_PATH = '/v1/status'
const STREAM_PATH = '/v1/status/stream'

/** True for the paths that the gateway answers itself. */
export function isStatusPath(path: string): boolean {
  return path === STATUS_PATH || path === STREAM_PATH
}

/** Answers a request for one of them. */
export function serveStatus(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  report: () => StatusReport,
  stream: StatusStream,
): void {
  const { method } = request
  if (method === 'OPTIONS') {
    response.writeHead(204, ['Allow', 'GET, HEAD, OPTIONS'])
    response.end()
  } else if (method !== 'GET' && method !== 'HEAD') {
    respondWithCode(request, response, exchange, 'method_not_allowed', [['Allow', 'GET, HEAD, OPTIONS']])
  } else if (exchange.path === STATUS_PATH) serveReport(response, report())
  else serveStream(request, response, exchange, stream)
  request.resume()
}

function serveReport(response: ServerResponse, report: StatusReport): void {
  const body = JSON.stringify(report)
  response.writeHead(200, [
    'Content-Type',
    'application/json; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(body)),
  ])
  response.end(body)
}

function serveStream(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  stream: StatusStream,
): void {
  const headers = ['Content-Type', 'text/event-stream; charset=utf-8']
  // nginx and its like hold an answer back to fill a buffer unless they are told.
  headers.push('X-Accel-Buffering', 'no')
  if (request.method === 'HEAD') {
    response.writeHead(200, headers)
    response.end()
    return
  }
  if (stream.isFull) {
    respondWithCode(request, response, exchange, 'unavailable', [['Retry-After', '5']])
    return
  }
  request.socket.setTimeout(0)
  response.writeHead(200, headers)
  stream.open(response, exchange.header('last-event-id'))
}
