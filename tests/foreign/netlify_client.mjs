// Netlify's own client (npm @netlify/api) at another address: netlify_client.mjs HOST CLIENT_ID MESSAGE
//
// Creates a ticket and writes where to approve it, waits as the client does, then uses the token; a line of JSON
// for each on stdout. What goes wrong ends it with the client's own error in JSON.

import { NetlifyAPI } from '@netlify/api';

const [host, clientId, message] = process.argv.slice(2);
const client = new NetlifyAPI({ scheme: 'http', host, pathPrefix: '/netlify/api/v1' });
const say = (value) => console.log(JSON.stringify(value));

try {
  const ticket = await client.createTicket({ clientId, body: { message } });
  say(ticket);
  const token = await client.getAccessToken(ticket, { poll: 50, timeout: 60_000 });
  say({ token, user: await client.getCurrentUser() });
} catch (error) {
  say({ failed: error.name, status: error.status, message: error.message });
}
