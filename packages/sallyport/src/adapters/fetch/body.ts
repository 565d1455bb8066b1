// Counts a body whose length nobody announced: past the limit the handler's read fails, and the answer is 413.

/** A request body under a limit. */
export interface LimitedBody {
  readonly stream: ReadableStream<Uint8Array>
  /** True once more bytes came than the limit allows. */
  exceeded(): boolean
}

/** The request's body under a limit in bytes; `undefined` where it has none. */
export function limitBody(request: Request, limit: number): LimitedBody | undefined {
  if (request.body === null || request.body === undefined) return undefined
  let bytes = 0
  let over = false
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > limit) {
        over = true
        controller.error(new RangeError(`the request body is larger than ${limit} bytes`))
      } else controller.enqueue(chunk)
    },
  })
  return { stream: request.body.pipeThrough(counter), exceeded: () => over }
}
