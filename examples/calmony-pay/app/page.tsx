export default function Home() {
  return (
    <main>
      <h1>Calmony Pay</h1>
      <p>
        POST a payment to <code>/api/payments</code>.
      </p>
    </main>
  )
}
