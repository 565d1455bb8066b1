export function GET(): Response {
  return new Response(null, { status: 308, headers: { Location: '/api/payments' } })
}
