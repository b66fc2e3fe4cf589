/** How neural estimators and models come back from their folders. */
import type { AutoEncodersOptions } from './auto-encoders.js'
import type { CoderParts } from './coder-model.js'
import type { CNNClassifierOptions, CNNRegressorOptions } from './cnn.js'
import type { MLPClassifierOptions, MLPRegressorOptions } from './mlp.js'
import type { RNNClassifierOptions, RNNRegressorOptions } from './rnn.js'
import type { GANOptions } from './gan.js'
import type { VariationalAutoEncoderOptions } from './vae.js'
import { savedOptions } from './saved-estimator.js'
import { savedModel } from './saved-model.js'
import type { LoadedStage } from './saved-stage.js'

const loadClassifier = async (saved: LoadedStage) =>
  (await import('./classifier-model.js')).ClassifierModel.load(savedModel(saved))
const loadRegressor = async (saved: LoadedStage) =>
  (await import('./regressor-model.js')).RegressorModel.load(savedModel(saved))
const loadCoder = async <M>(saved: LoadedStage, Coder: new (...parts: CoderParts<string, string>) => M) =>
  (await import('./coder-model.js')).makeCoder(Coder, savedModel(saved))

export const neuralLoaders = {
  AutoEncoders: async (saved: LoadedStage) =>
    new (await import('./auto-encoders.js')).AutoEncoders(savedOptions(saved) as AutoEncodersOptions),
  AutoEncodersModel: async (saved: LoadedStage) =>
    loadCoder(saved, (await import('./auto-encoders-model.js')).AutoEncodersModel),
  CNNClassifier: async (saved: LoadedStage) =>
    new (await import('./cnn.js')).CNNClassifier(savedOptions(saved) as CNNClassifierOptions),
  CNNClassifierModel: loadClassifier,
  GAN: async (saved: LoadedStage) => new (await import('./gan.js')).GAN(savedOptions(saved) as GANOptions),
  GANModel: async (saved: LoadedStage) => (await import('./gan-model.js')).GANModel.load(saved),
  VariationalAutoEncoder: async (saved: LoadedStage) =>
    new (await import('./vae.js')).VariationalAutoEncoder(savedOptions(saved) as VariationalAutoEncoderOptions),
  VariationalAutoEncoderModel: async (saved: LoadedStage) =>
    loadCoder(saved, (await import('./vae-model.js')).VariationalAutoEncoderModel),
  MultilayerPerceptronClassifier: async (saved: LoadedStage) =>
    new (await import('./mlp.js')).MultilayerPerceptronClassifier(savedOptions(saved) as MLPClassifierOptions),
  MultilayerPerceptronClassifierModel: loadClassifier,
  MultilayerPerceptronRegressor: async (saved: LoadedStage) =>
    new (await import('./mlp.js')).MultilayerPerceptronRegressor(savedOptions(saved) as MLPRegressorOptions),
  MultilayerPerceptronRegressorModel: loadRegressor,
  RNNClassifier: async (saved: LoadedStage) =>
    new (await import('./rnn.js')).RNNClassifier(savedOptions(saved) as RNNClassifierOptions),
  RNNClassifierModel: loadClassifier,
  RNNRegressor: async (saved: LoadedStage) =>
    new (await import('./rnn.js')).RNNRegressor(savedOptions(saved) as RNNRegressorOptions),
  RNNRegressorModel: loadRegressor,
  CNNRegressor: async (saved: LoadedStage) =>
    new (await import('./cnn.js')).CNNRegressor(savedOptions(saved) as CNNRegressorOptions),
  CNNRegressorModel: loadRegressor,
}
