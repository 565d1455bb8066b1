// A long answer whose source fails on the way.

export const dynamic = 'force-dynamic'

export function GET(): Response {
  let pulls = 0
  const rows = new ReadableStream({
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(new TextEncoder().encode('id,amount\n'))
      else controller.error(new Error('the store went away'))
    },
  })
  return new Response(rows, { headers: { 'Content-Type': 'text/csv' } })
}
