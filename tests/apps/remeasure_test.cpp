// lrid-observe remeasure, as a user runs it.
#include <bit>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/io/dataset.hpp>

#include "testing.hpp"

namespace lrid {
namespace {

namespace fs = std::filesystem;
using testing::run_command;
using testing::TemporaryFolder;

std::string data_dir() {
  return (testing::source_dir() / "data").string();
}
std::string program(const char* name) {
  return "'" + testing::program(name).string() + "' --quiet";
}

/// 200 images, 10 steps, 3 points; a grid measured along training, and all checkpoints.
void train(const fs::path& config, const fs::path& out, const std::string& more = "") {
  write_atomically(
      config, "epochs = 1\npoints = 3\nbatch_size = 20\nlearning_rule = \"fa\"\n" + more +
                  "[data]\nfolder = \"cifar10-sample\"\ntraining_samples = 200\n"
                  "[probe]\nsize = 16\nunit_fraction = [1.0, 0.1]\nnoise = [0.0, 0.5]\n"
                  "imperfect_seed = 3\n[validation]\nsamples = 16\n[compute]\ndevice = \"cpu\"\nthreads = 1\n"
                  "[checkpoint]\nkeep = true\n");
  const auto run = run_command(fmt::format("{} run --data-dir '{}' --config '{}' --out '{}'",
                                           program("lrid-train"), data_dir(), config.string(), out.string()));
  ASSERT_EQ(run.exit_code, 0) << run.err;
}

testing::CommandResult remeasure(const std::string& runs, const fs::path& out, const std::string& more) {
  return run_command(fmt::format("{} remeasure {} --threads 1 --out '{}' {}", program("lrid-observe"), runs,
                                 out.string(), more));
}

/// Samples by layer and cell.
std::map<std::string, std::vector<std::uint32_t>> samples(const io::Dataset& dataset) {
  std::map<std::string, std::vector<std::uint32_t>> result;
  const std::size_t size = static_cast<std::size_t>(dataset.points) * dataset.observable_names.size();
  for (std::size_t i = 0; i < static_cast<std::size_t>(dataset.samples); ++i)
    for (std::size_t k = 0; k < size; ++k)
      result[fmt::format("{} {} {}", dataset.meta.layer[i], dataset.meta.unit_fraction[i],
                         dataset.meta.noise[i])]
          .push_back(std::bit_cast<std::uint32_t>(dataset.x[i * size + k]));
  return result;
}

TEST(Remeasure, GivesTheNumbersThatWereMeasuredAlongTraining) {
  const TemporaryFolder folder;
  train(folder / "run.toml", folder / "run.h5");
  const std::string run = "'" + (folder / "run.h5").string() + "'";
  const auto collected = run_command(
      fmt::format("{} collect {} --out '{}'", program("lrid-observe"), run, (folder / "along.h5").string()));
  ASSERT_EQ(collected.exit_code, 0) << collected.err;
  const std::string grid = "--unit-fraction 1,0.1 --noise 0,0.5 --seed 3 --data-dir '" + data_dir() + "'";
  const auto again = remeasure(run, folder / "again.h5", grid);
  ASSERT_EQ(again.exit_code, 0) << again.err;

  const io::Dataset along = io::read_dataset(folder / "along.h5"),
                    later = io::read_dataset(folder / "again.h5");
  EXPECT_EQ(along.samples, 4 * 4);  // layers × cells
  EXPECT_EQ(samples(along), samples(later));
  EXPECT_EQ(samples(along).size(), 16U);
  EXPECT_FALSE(fs::exists(folder / "again.h5.parts"));

  // One cell alone, without the perfect one.
  const auto one = remeasure(run, folder / "one.h5",
                             "--unit-fraction 0.1 --noise 0.5 --seed 3 --data-dir '" + data_dir() + "'");
  ASSERT_EQ(one.exit_code, 0) << one.err;
  auto expected = samples(later);
  std::erase_if(expected, [](const auto& sample) { return !sample.first.ends_with(" 0.1 0.5"); });
  EXPECT_EQ(samples(io::read_dataset(folder / "one.h5")), expected);
}

TEST(Remeasure, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  train(folder / "study.toml", folder / "study.h5", "[observe]\nlayer_change_kernel = \"as-study\"\n");
  const std::string run = "'" + (folder / "study.h5").string() + "'";
  const auto study = remeasure(run, folder / "out.h5", "--data-dir '" + data_dir() + "'");
  EXPECT_EQ(study.exit_code, 2);
  EXPECT_NE(study.err.find("backward kernels"), std::string::npos) << study.err;
  EXPECT_NE(remeasure(run, folder / "out.h5", "--data-dir /nowhere").err.find("--data-dir /nowhere"),
            std::string::npos);
  EXPECT_EQ(remeasure(run, folder / "out.h5", "--noise -1 --data-dir '" + data_dir() + "'").exit_code, 2);
  EXPECT_FALSE(fs::exists(folder / "out.h5"));
}

}  // namespace
}  // namespace lrid
