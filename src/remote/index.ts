/**
 * Environments elsewhere: in Python, on other machines, in pages; and the environments here for others.
 *
 * @module diffrl/remote
 */

export { isRemoteAddress } from './address.js';
export {
  type ConnectOptions,
  type ConnectVectorOptions,
  connectEnv,
  connectVectorEnv,
  type WaitOptions,
} from './connectEnv.js';
export { ConnectionLostError, ProtocolError } from './errors.js';
export type { ListenOptions } from './listener.js';
export { type AcceptOptions, acceptEnv, type Offer, type OfferOptions, offerEnv } from './offerEnv.js';
export { RemoteEnv } from './remoteEnv.js';
export { RemoteVectorEnv } from './remoteVectorEnv.js';
export type { Source } from './served.js';
export { type EnvServer, type ServeOptions, serveEnv } from './serveEnv.js';
