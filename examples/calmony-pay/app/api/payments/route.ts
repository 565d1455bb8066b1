import { refuseUnlessWriter } from '../../../lib/access'
import { addPayment, parsePayment } from '../../../lib/payments'

const MAX_BYTES = 10_000

export async function POST(request: Request): Promise<Response> {
  const refusal = refuseUnlessWriter(request)
  if (refusal) return refusal
  const text = await request.text()
  if (text.length > MAX_BYTES) return Response.json({ error: 'the body is too large' }, { status: 413 })
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return Response.json({ error: 'the body is not JSON' }, { status: 400 })
  }
  const payment = parsePayment(body)
  if ('faults' in payment) return Response.json({ error: 'not a payment', ...payment }, { status: 422 })
  const added = addPayment(payment)
  return Response.json(added, { status: 201, headers: { Location: `/api/payments/${added.id}` } })
}
