// A whole body, for the few answers that the guard gives itself to a request that has one.

import type { IncomingMessage } from 'node:http'

/** What of a request of node:http, or of one that looks like it, is used. */
type Source = Pick<IncomingMessage, 'complete' | 'destroyed'> & {
  on: Listen
  off: Listen
}
type Listen = {
  (event: 'data', listener: (chunk: Uint8Array) => void): unknown
  (event: 'end' | 'error' | 'close', listener: () => void): unknown
}

/**
 * Reads it.
 *
 * @param maxBytes a longer one is not kept
 * @returns `cut` where the client went away before it ended; never rejects
 */
export function wholeBody(request: Source, maxBytes: number): Promise<Uint8Array | 'too-large' | 'cut'> {
  return new Promise((resolve) => {
    if (request.destroyed && !request.complete) {
      resolve('cut')
      return
    }
    const chunks: Uint8Array[] = []
    let length = 0
    const settle = (result: Uint8Array | 'too-large' | 'cut') => {
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('error', onCut)
      request.off('close', onCut)
      resolve(result)
    }
    const onData = (chunk: Uint8Array) => {
      length += chunk.length
      if (length > maxBytes) settle('too-large')
      else chunks.push(chunk)
    }
    const onEnd = () => settle(Buffer.concat(chunks))
    const onCut = () => settle('cut')
    request.on('end', onEnd)
    request.on('error', onCut)
    request.on('close', onCut)
    // Last: it sets the body flowing.
    request.on('data', onData)
  })
}
