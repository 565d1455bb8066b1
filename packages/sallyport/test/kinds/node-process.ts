// The process in which the app on plain node:http is tested: its policy and timeouts come as arguments, its port
// goes out as a message.

import type { AddressInfo } from 'node:net'
import { createServer } from '../../src/adapters/node/index.ts'
import { nodeHandler } from './app-node.ts'

// Errors of the handlers arrive here, as they would without a guard.
process.on('uncaughtException', () => {})
process.on('unhandledRejection', () => {})
process.on('disconnect', () => process.exit())

const [policy, timeouts] = process.argv.slice(2).map((each) => JSON.parse(each))
const server = createServer(policy, nodeHandler(true), timeouts)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
