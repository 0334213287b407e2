/**
 * Tasks of Gymnasium and DeepMind Control, and robots of your own, on `@mujoco/mujoco`.
 *
 * @module diffrl/mujoco
 */

export { loadMujoco, type MujocoEngine } from './engine.js';
export { MujocoModelError, MujocoSimulationError } from './errors.js';
export { type MujocoOptions, type MujocoTaskEnv, makeMujoco } from './make.js';
export {
  type ActuatorAttributes,
  type BodyAttributes,
  ball,
  body,
  box,
  capsule,
  cylinder,
  element,
  ellipsoid,
  fixedTendon,
  freejoint,
  type GeomAttributes,
  general,
  geom,
  hinge,
  type InertialAttributes,
  inertial,
  type JointAttributes,
  joint,
  type MjcfDefaults,
  type MjcfElement,
  type MjcfModel,
  type MjcfValue,
  mjcf,
  motor,
  plane,
  position,
  type SiteAttributes,
  sensor,
  site,
  slide,
  spatialTendon,
  sphere,
  type TendonAttributes,
} from './mjcf.js';
export type { MujocoModel } from './model.js';
export { MujocoEnv } from './mujocoEnv.js';
export { type MujocoId, type MujocoTaskOptions, mujocoIds } from './registry.js';
export type { View } from './render/camera.js';
export { type Film, type FilmOptions, film } from './render/film.js';
export { FrameRecorder, type FrameRecorderOptions } from './render/frameRecorder.js';
export { type RenderOptions, renderSvg } from './render/renderSvg.js';
export { castRay, Hand, type Held, type RayHit } from './scene/hand.js';
export {
  describeScene,
  type SceneDescription,
  type SceneHeights,
  type SceneLine,
  type SceneLook,
  type SceneMesh,
  type ScenePart,
} from './scene/sceneDescription.js';
export { poseLength, readPose } from './scene/scenePose.js';
export { type DataArray, type ObjectKind, Simulation } from './simulation.js';
export { gymnasiumStepping, type Stepping, suiteStepping } from './stepping.js';
export type { MujocoTask, Outcome, Verdict } from './task.js';
