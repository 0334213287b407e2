import { EnvironmentError } from '../errors.js';

/** What came over a connection is not what the protocol allows. The connection has ended. */
export class ProtocolError extends EnvironmentError {
  override name = 'ProtocolError';
}

/** A connection to an environment ended, or an answer did not come in time. */
export class ConnectionLostError extends EnvironmentError {
  override name = 'ConnectionLostError';
}
