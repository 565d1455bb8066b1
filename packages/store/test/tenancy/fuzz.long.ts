// The same as fuzz.test.ts with 100,000 requests each way.

process.env['SALLYPORT_FUZZ_REQUESTS'] ??= '100000'
await import('./fuzz.test.ts')

export {}
