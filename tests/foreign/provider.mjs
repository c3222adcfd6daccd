// Authorization servers by oidc-provider (a certified OpenID implementation) on free loopback ports.
//
// either   takes authorization requests in the URL or pushed; DPoP, registration (RFC 7591, RFC 7592), documents
//          for client IDs, request objects, JWT responses, and a `resource` (RFC 8707)
// pushed   the same, only pushed requests (RFC 9126 §5)
// signed   the same, only signed requests (RFC 9101 §10.5)
// nonces   the same, every DPoP proof needs a nonce of the server (RFC 9449 §8, §9)
// certified is reached by TLS; clients may show a certificate at the endpoints of `mtls_endpoint_aliases` alone,
//          which are on a port of their own (RFC 8705 §5)
//
// The one argument is the folder that `keys.Keys` has filled. The issuers go to stdout as one line of JSON; the
// servers run until stdin ends, so that they never outlive the tests.

import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import Provider from 'oidc-provider';

const [, , folder] = process.argv;
const read = (name) => readFileSync(join(folder, name));
const { clientKeys, certificateKeys, documents } = JSON.parse(read('public.json'));

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
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const device = {
  client_id: 'device',
  token_endpoint_auth_method: 'none',
  grant_types: [deviceGrant, 'refresh_token'],
  redirect_uris: [],
  response_types: [],
  scope: 'openid email profile',
};
const confidential = { ...native, client_secret: 'a secret/with: signs+that need encoding' };
const withKeys = { ...native, grant_types: [...native.grant_types, deviceGrant] };

const clients = [
  { ...native, client_id: 'native', token_endpoint_auth_method: 'none' },
  { ...implicit, client_id: 'implicit', token_endpoint_auth_method: 'none' },
  { ...hybrid, client_id: 'hybrid', token_endpoint_auth_method: 'none' },
  device,
  { ...confidential, client_id: 'basic', token_endpoint_auth_method: 'client_secret_basic' },
  { ...confidential, client_id: 'post', token_endpoint_auth_method: 'client_secret_post' },
  // RFC 7523 §2.2, and the same keys for request objects (RFC 9101) of a public client.
  { ...withKeys, client_id: 'key', token_endpoint_auth_method: 'private_key_jwt', jwks: clientKeys },
  { ...native, client_id: 'signing', token_endpoint_auth_method: 'none', jwks: clientKeys },
  { ...hybrid, client_id: 'hybrid-key', token_endpoint_auth_method: 'private_key_jwt', jwks: clientKeys },
  // RFC 9449 §5.2: this client gets no token that is not bound to a key.
  { ...native, client_id: 'bound', token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true },
];
// RFC 8705 §2.1.2, §2.2.2, §3.4
const certified = {
  ...withKeys,
  tls_client_certificate_bound_access_tokens: true,
};
const clientsWithCertificates = [
  {
    ...certified,
    client_id: 'certificate',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'client.example',
  },
  {
    ...certified,
    client_id: 'own-certificate',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: certificateKeys,
  },
];

const certificateOf = ({ socket }) => {
  const shown = socket.encrypted ? socket.getPeerCertificate() : {};
  return shown.raw && new X509Certificate(shown.raw);
};
const mTLS = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: certificateOf,
  certificateAuthorized: ({ socket }) => socket.authorized,
  certificateSubjectMatches: (ctx, _property, expected) =>
    certificateOf(ctx).subjectAltName.split(', ').includes(`DNS:${expected}`),
};
const methods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];

const configuration = ({ onlyPushed = false, onlySigned = false, nonces = false, aliases = null }) => ({
  claims: { openid: ['sub'], address: ['address'], email: ['email'], profile: ['name'] },
  clientAuthMethods: aliases ? [...methods, 'tls_client_auth', 'self_signed_tls_client_auth'] : methods,
  clients: aliases ? [...clients, ...clientsWithCertificates] : clients,
  cookies: { keys: ['signs the cookies of these tests'] },
  discovery: aliases ? { mtls_endpoint_aliases: aliases } : {},
  features: {
    clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => nonces },
    jwtResponseModes: { enabled: true },
    mTLS: aliases ? mTLS : { enabled: false },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: onlyPushed },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    requestObjects: { enabled: true, requireSignedRequestObject: onlySigned },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, audience) => ({ audience, scope: 'mcp:read mcp:write', accessTokenFormat: 'jwt' }),
    },
    revocation: { enabled: true },
  },
  // The documents of client IDs have `https` addresses, which no server on this machine has.
  fetch: async (url) =>
    url in documents ? Response.json(documents[url]) : new Response('not here', { status: 404 }),
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, email: `${sub}@example.org` }) }),
  // By default a refresh token needs offline_access, and a confidential client keeps its first one.
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  pkce: { required: () => true },
  responseTypes: ['code', 'code id_token', ...tokensInFront],
  scopes: ['openid', 'offline_access', 'email', 'profile', 'mcp:read', 'mcp:write'],
  ttl: { AccessToken: 3600, DeviceCode: 600, Grant: 3600, IdToken: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600 },
});

async function listening(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${server.address().port}`;
}

async function serve(settings) {
  const server = createServer();
  const issuer = `http://${await listening(server)}`;
  server.on('request', new Provider(issuer, configuration(settings)).callback());
  return issuer;
}

async function serveCertified() {
  const identity = { cert: read('server.pem'), key: read('server.key') };
  const plain = createSecureServer(identity);
  // A self-signed certificate must get through the handshake (RFC 8705 §2.2).
  const asking = createSecureServer({ ...identity, ca: read('authority.pem'), requestCert: true, rejectUnauthorized: false });
  const issuer = `https://${await listening(plain)}`;
  const alias = `https://${await listening(asking)}`;
  const aliases = {
    token_endpoint: `${alias}/token`,
    revocation_endpoint: `${alias}/token/revocation`,
    pushed_authorization_request_endpoint: `${alias}/request`,
    device_authorization_endpoint: `${alias}/device/auth`,
    userinfo_endpoint: `${alias}/me`,
  };
  const callback = new Provider(issuer, configuration({ aliases })).callback();
  plain.on('request', callback);
  asking.on('request', callback);
  return issuer;
}

process.stdin.resume().on('end', () => process.exit());
console.log(
  JSON.stringify({
    either: await serve({}),
    pushed: await serve({ onlyPushed: true }),
    signed: await serve({ onlySigned: true }),
    nonces: await serve({ nonces: true }),
    certified: await serveCertified(),
  }),
);
