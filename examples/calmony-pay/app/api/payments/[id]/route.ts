import { refuseUnlessWriter } from '../../../../lib/access'
import { cancelPayment, findPayment } from '../../../../lib/payments'

type Context = { params: Promise<{ id: string }> }

export async function GET(_request: Request, { params }: Context): Promise<Response> {
  const payment = findPayment((await params).id)
  return payment ? Response.json(payment) : Response.json({ error: 'no such payment' }, { status: 404 })
}

export async function DELETE(request: Request, { params }: Context): Promise<Response> {
  const refusal = refuseUnlessWriter(request)
  if (refusal) return refusal
  cancelPayment((await params).id)
  return new Response(null, { status: 204 })
}
