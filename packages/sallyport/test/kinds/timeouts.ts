// The timeouts of the apps under test, in milliseconds: short, so that the 408 comes while a test still waits.

export const TIMEOUTS = {
  headersTimeout: 500,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 100,
} as const
