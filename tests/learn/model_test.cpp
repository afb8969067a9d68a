// Saved models, of every classifier.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/learn/classifier.hpp>

#include "random_samples.hpp"
#include "testing.hpp"

namespace lrid::learn {
namespace {

std::unique_ptr<Classifier> small(const std::string& name) {
  Options options(
      Config::from_toml("svm.C = [50]\nsvm.pca = [4]\nforest.trees = [7]\nforest.max_features = ['sqrt']\n"
                        "mlp.kernel = [2]\nmlp.filters = [3]\nmlp.stride = [2]\nmlp.pool = ['max']\n"
                        "mlp.learning_rate = [1e-2]\nmlp.batch = [16]\nmlp.l2 = [0]\nmlp.epochs = 3\n",
                        "grids"));
  std::unique_ptr<Classifier> wanted;
  for (const ClassifierEntry& entry : classifiers().entries()) {
    std::unique_ptr<Classifier> classifier = entry.make();
    classifier->declare(options);
    if (entry.name == name) wanted = std::move(classifier);
  }
  return wanted;
}

class SavedModel : public ::testing::TestWithParam<std::string> {};

TEST_P(SavedModel, GivesTheSameScoresBitForBit) {
  const Samples train = testing::random_samples(90, 3, 4, 5, 0.8, 1),
                test = testing::random_samples(40, 3, 4, 5, 0.8, 2);
  const auto classifier = small(GetParam());
  const auto model = classifier->fit(train, classifier->settings().front(), Key(3));
  const testing::TemporaryFolder folder;
  io::hdf5::OutputFile file("test");
  model->save(file.root());
  std::move(file).save(folder / "m.h5");
  const io::hdf5::InputFile input(folder / "m.h5");
  const auto loaded = classifier->load(input.root(), train.layout, train.classes);
  EXPECT_EQ(loaded->scores(test), model->scores(test));

  // A model of other features, or of more classes, would read beyond its arrays.
  Layout narrow = train.layout;
  narrow.channels = 1;
  narrow.points = 1;
  EXPECT_THROW((void)classifier->load(input.root(), narrow, train.classes), InputError);
  EXPECT_THROW((void)classifier->load(input.root(), train.layout, train.classes + 1), InputError);
}

INSTANTIATE_TEST_SUITE_P(Classifiers, SavedModel, ::testing::ValuesIn(classifiers().names()));

}  // namespace
}  // namespace lrid::learn
