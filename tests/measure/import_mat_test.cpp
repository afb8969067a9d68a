// MATLAB's files of version 7.3 as HDF5 shows them.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/measure/import_mat.hpp>

#include "testing.hpp"

namespace lrid::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ImportMat : public ::testing::Test {
 protected:
  ImportMat() {
    io::hdf5::OutputFile file("other");
    io::hdf5::Group& root = file.root();
    // 3 units × 2 stimuli × 4 times: value = 100·unit + 10·stimulus + time, the unit fastest.
    std::vector<double> values;
    for (int t = 0; t < 4; ++t)
      for (int stimulus = 0; stimulus < 2; ++stimulus)
        for (int unit = 0; unit < 3; ++unit) values.push_back(100 * unit + 10 * stimulus + t);
    root.write("resp", values, {4, 2, 3});
    root.dataset("resp").set_attribute<std::string>("MATLAB_class", "double");
    root.write("once", std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});  // 3 × 2: MATLAB drops the 1 at the end
    root.write("counts", std::vector<std::int32_t>(24, 7), {4, 2, 3});
    root.write("many", std::vector<double>(16, 0), {2, 2, 2, 2});
    root.write("text", std::vector<std::int64_t>{72, 105}, {2, 1});
    root.dataset("text").set_attribute<std::string>("MATLAB_class", "char");
    root.write("nothing", std::vector<std::int64_t>{0, 0});
    root.dataset("nothing").set_attribute<std::int64_t>("MATLAB_empty", 1);
    root.create_group("s").write("late", std::vector<double>(24, 1), {4, 2, 3});
    root.create_group("#refs#").write("a", std::vector<double>{1});
    std::move(file).save(path_);
  }
  [[nodiscard]] io::Activity imported(const std::vector<std::string>& activations,
                                      const std::string& axes = "units,stimuli,time") const {
    return import_mat(path_, {activations, axes});
  }
  [[nodiscard]] auto importing(const std::vector<std::string>& activations,
                               const std::string& axes = "units,stimuli,time") const {
    return [this, activations, axes] { (void)imported(activations, axes); };
  }
  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "m.mat";
};

TEST_F(ImportMat, TakesDimensionsInMatlabsOrder) {
  const io::Activity activity = imported({"V1=resp", "counts", "deep=s.late"});
  EXPECT_EQ(activity.points, 4);
  EXPECT_EQ(activity.stimuli, 2);
  ASSERT_EQ(activity.layers.size(), 3U);
  EXPECT_EQ(activity.layers[0].name, "V1");
  EXPECT_EQ(activity.layers[1].name, "counts");
  EXPECT_EQ(activity.layers[2].name, "deep");
  ASSERT_EQ(activity.layers[0].values.size(), 24U);
  EXPECT_EQ(activity.layers[0].unit_ids.size(), 3U);
  std::size_t i = 0;  // [time, stimuli, units]
  for (int t = 0; t < 4; ++t)
    for (int stimulus = 0; stimulus < 2; ++stimulus)
      for (int unit = 0; unit < 3; ++unit)
        EXPECT_EQ(activity.layers[0].values[i++], 100 * unit + 10 * stimulus + t);

  // Every other order, of the same numbers.
  const io::Activity turned = imported({"resp"}, "time, units ,stimuli");
  EXPECT_EQ(turned.points, 3);
  EXPECT_EQ(turned.stimuli, 4);
  i = 0;
  for (int t = 0; t < 3; ++t)
    for (int stimulus = 0; stimulus < 4; ++stimulus)
      for (int unit = 0; unit < 2; ++unit)
        EXPECT_EQ(turned.layers[0].values[i++], 100 * t + 10 * unit + stimulus);
}

TEST_F(ImportMat, DimensionsThatMatlabDropsAreThere) {
  const io::Activity activity = imported({"once"}, "units,stimuli,time");
  EXPECT_EQ(activity.points, 1);
  EXPECT_EQ(activity.stimuli, 2);
  EXPECT_THAT(activity.layers[0].values, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(ImportMat, IsReadBackAsARecording) {
  io::write_recording(folder_ / "rec.h5", imported({"V1=resp"}));
  const io::Recording recording(folder_ / "rec.h5");
  EXPECT_EQ(recording.points(), 4);
  EXPECT_EQ(recording.layers()[0].units, 3);
}

TEST_F(ImportMat, RefusesWhatItCannotMean) {
  EXPECT_THAT(importing({"rsp"}), ThrowsMessage<InputError>(HasSubstr("m.mat: no variable rsp: expected")));
  EXPECT_THAT(importing({"rsp"}), ThrowsMessage<InputError>(HasSubstr("nearest: resp")));
  EXPECT_THAT(importing({"many"}),
              ThrowsMessage<InputError>(HasSubstr("many is 2 × 2 × 2 × 2, expected three")));
  EXPECT_THAT(importing({"text"}),
              ThrowsMessage<InputError>(
                  HasSubstr("text: expected an array of real numbers, not one that is of class char")));
  EXPECT_THAT(importing({"nothing"}),
              ThrowsMessage<InputError>(
                  HasSubstr("nothing: expected an array of real numbers, not one that is empty")));
  EXPECT_THAT(
      importing({"resp", "once"}),
      ThrowsMessage<InputError>(HasSubstr("once has 2 stimuli at 1 point, resp 2 stimuli at 4 points")));
  EXPECT_THAT(importing({"a=resp", "a=counts"}), ThrowsMessage<InputError>(HasSubstr("a second layer a")));
  EXPECT_THAT(importing({"=resp"}), ThrowsMessage<InputError>(HasSubstr("LAYER=VARIABLE")));
  for (const char* axes : {"units,stimuli", "units,stimuli,trials", "units,units,time", ""})
    EXPECT_THAT(importing({"resp"}, axes), ThrowsMessage<InputError>(HasSubstr("--axes"))) << axes;
  std::ofstream(folder_ / "old.mat") << "MATLAB 5.0 MAT-file, Platform: GLNXA64 and more";
  EXPECT_THAT([&] { (void)import_mat(folder_ / "old.mat", {{"x"}}); },
              ThrowsMessage<InputError>(HasSubstr("-v7.3")));
}

TEST_F(ImportMat, ListsVariablesAsMatlabShowsThem) {
  std::ostringstream out;
  list_mat(path_, out);
  EXPECT_EQ(out.str(),
            "counts  3 × 2 × 4\nmany    2 × 2 × 2 × 2\nonce    3 × 2\nresp    3 × 2 × 4\ns.late  3 × 2 × 4\n"
            "not numeric: nothing (empty), text (of class char)\n");
}

}  // namespace
}  // namespace lrid::measure
