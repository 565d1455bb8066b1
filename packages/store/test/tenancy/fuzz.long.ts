// The same as fuzz.test.ts with 102,000 requests each way: 34,000 for each kind of conditions.

process.env['SALLYPORT_FUZZ_REQUESTS'] ??= '34000'
await import('./fuzz.test.ts')

export {}
