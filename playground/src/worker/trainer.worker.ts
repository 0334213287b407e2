import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { serveTraining } from 'diffrl/web';
import { create } from './create.js';

serveTraining(create);
