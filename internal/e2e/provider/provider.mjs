// An independent provider on a free port of loopback: panva's oidc-provider with
// what a strict one has switched on. Its first line on stdout is the issuer; it ends
// when stdin does. Its arguments are the web client's redirect URIs.
import { Provider } from 'oidc-provider';
import { createServer } from 'node:http';

const people = { ada: { name: 'Ada Lovelace', email: 'ada@example.com', email_verified: true } };
const hour = 3600; // seconds
const resource = 'https://api.example.com';

const common = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};
const loopback = ['http://127.0.0.1/callback', 'http://localhost/callback'];
const device = 'urn:ietf:params:oauth:grant-type:device_code';
const native = {
  ...common, application_type: 'native', redirect_uris: loopback, grant_types: [...common.grant_types, device],
};

function configuration() {
  return {
    clients: [
      { ...native, client_id: 'native' },
      { ...native, client_id: 'brief' }, // its access tokens live for seconds
      { ...native, client_id: 'confidential', client_secret: 'a secret/with: signs%', token_endpoint_auth_method: 'client_secret_basic' },
      { ...common, client_id: 'web', application_type: 'web', redirect_uris: process.argv.slice(2) },
    ],
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false, // name and email in the ID token too
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    cookies: { keys: ['only for tests'] },
    features: {
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: '', audience: resource, accessTokenFormat: 'jwt' }),
      },
    },
    ttl: {
      AccessToken: (ctx, token, client) => (client.clientId === 'brief' ? 3 : hour),
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 24 * hour,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: 24 * hour,
      Session: 24 * hour,
    },
  };
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration());
  server.on('request', provider.callback());
  console.log(issuer);
});
process.stdin.resume().on('end', () => process.exit(0));
