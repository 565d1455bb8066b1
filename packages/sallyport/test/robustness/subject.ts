// A subject whose application runs in this process on node:http's request and response objects.

import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Reached } from './case.ts'
import { policyLines, ROBUSTNESS_POLICY, type Subject } from './run.ts'

/** Reads the whole body, takes the request down, answers 200. */
export function recorder(): { readonly listener: RequestListener; readonly taken: Subject['taken'] } {
  let reached: Reached[] = []
  return {
    listener(request: IncomingMessage, response: ServerResponse) {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        reached.push({
          method: request.method ?? '',
          target: request.url ?? '',
          body: Buffer.concat(chunks).toString('latin1'),
        })
        // With a length, Node keeps HTTP/1.0 connections open where the client asks for it.
        response.setHeader('Content-Length', '2')
        response.setHeader('Content-Type', 'application/json')
        response.end('{}')
      })
    },
    taken() {
      const before = reached
      reached = []
      return before
    },
  }
}

/** A subject on a server that listens already. */
export function subjectOf(server: Server, taken: Subject['taken']): Subject {
  const { port } = server.address() as AddressInfo
  return { connect: () => connect(port, '127.0.0.1'), taken, lines: policyLines(ROBUSTNESS_POLICY) }
}
