export const dynamic = 'force-dynamic';

export default function Page() {
  return <p>instance {process.env.NODE_APP_INSTANCE}</p>;
}
