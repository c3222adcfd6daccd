// Two authorization servers by oidc-provider (a certified OpenID implementation) on free loopback ports.
//
// One takes authorization requests in the URL or pushed, the other only pushed ones (RFC 9126 §5). Their issuers
// go to stdout as one line of JSON; they run until stdin ends, so that they never outlive the tests.

import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const code = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
// RFC 8252 §7.3: for a native client the port of a loopback redirect URI does not matter.
const native = {
  ...code,
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback'],
  scope: 'openid email profile',
};
// OpenID Connect Core 1.0 §3.2: tokens by way of the browser; this server has no `token` alone.
const tokensInFront = ['id_token', 'id_token token'];
const implicit = { ...native, grant_types: ['implicit'], response_types: tokensInFront };
const hybrid = {
  ...native,
  grant_types: ['authorization_code', 'implicit', 'refresh_token'],
  response_types: ['code', 'code id_token'],
};
// RFC 8628; this server never names an interval.
const device = {
  client_id: 'device',
  token_endpoint_auth_method: 'none',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  redirect_uris: [],
  response_types: [],
  scope: 'openid email profile',
};
const confidential = { ...native, client_secret: 'a secret/with: signs+that need encoding' };

const configuration = (requirePushedAuthorizationRequests) => ({
  claims: { openid: ['sub'], address: ['address'], email: ['email'], profile: ['name'] },
  clients: [
    { ...native, client_id: 'native', token_endpoint_auth_method: 'none' },
    { ...implicit, client_id: 'implicit', token_endpoint_auth_method: 'none' },
    { ...hybrid, client_id: 'hybrid', token_endpoint_auth_method: 'none' },
    device,
    { ...confidential, client_id: 'basic', token_endpoint_auth_method: 'client_secret_basic' },
    { ...confidential, client_id: 'post', token_endpoint_auth_method: 'client_secret_post' },
  ],
  cookies: { keys: ['signs the cookies of these tests'] },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests },
    revocation: { enabled: true },
  },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, email: `${sub}@example.org` }) }),
  // By default a refresh token needs offline_access, and a confidential client keeps its first one.
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  pkce: { required: () => true },
  responseTypes: ['code', 'code id_token', ...tokensInFront],
  ttl: { AccessToken: 3600, DeviceCode: 600, Grant: 3600, IdToken: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600 },
});

async function serve(onlyPushed) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on('request', new Provider(issuer, configuration(onlyPushed)).callback());
  return issuer;
}

process.stdin.resume().on('end', () => process.exit());
console.log(JSON.stringify({ either: await serve(false), pushed: await serve(true) }));
