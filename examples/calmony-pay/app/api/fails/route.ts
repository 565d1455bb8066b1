// What must never happen and does: an error that says too much.

export const dynamic = 'force-dynamic'

const message = 'the acquirer refused card 4242 4242 4242 4242'

export function GET(): Response {
  throw new Error(message)
}

export async function POST(): Promise<Response> {
  return Promise.reject(new Error(message))
}
