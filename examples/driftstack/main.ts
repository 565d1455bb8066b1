// Starts the API on loopback and prints what to try.

import { digest } from 'sallyport'
import { buildApi } from './app.ts'

const { app, guard, accounts } = buildApi()
const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
console.log(`Driftstack API on ${url}, policy ${await digest(guard.policy.document)}

curl -si ${url}/v1/status
curl -si -H 'Authorization: Bearer ${accounts.issueToken('acct_1')}' ${url}/v1/account
curl -sN ${url}/v1/status/stream`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
