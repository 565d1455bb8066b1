export const dynamic = 'force-dynamic'

export function GET(): Response {
  const encoder = new TextEncoder()
  const events = new ReadableStream({
    start(controller) {
      for (const [index, name] of ['accepted', 'settled'].entries())
        controller.enqueue(encoder.encode(`id: ${index + 1}\nevent: payment\ndata: {"status":"${name}"}\n\n`))
      controller.close()
    },
  })
  return new Response(events, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' },
  })
}
