// Show and export.
#include <cmath>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/results.hpp>
#include <lrid/measure/collect.hpp>
#include <lrid/measure/export.hpp>
#include <lrid/measure/show.hpp>

#include "example.hpp"
#include "testing.hpp"

namespace lrid::measure {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    io::Trajectory t = example_trajectory(1);
    t.layers[1] = "fc,\"4\"";
    t.imperfect = {.unit_fraction = {0.5}, .noise = {0.25}, .observables = t.observables};
    t.checkpoints = {{2, "conv1/weight", {1}, {0.5}}};
    io::write_trajectory(folder_ / "t.h5", t);
    io::write_dataset(folder_ / "d.h5", collect({folder_ / "t.h5"}).dataset);
    io::write_observables(folder_ / "o.h5", {.observable_names = {"a", "b"},
                                             .layers = {"V1"},
                                             .points = 2,
                                             .values = {0.1F, std::nanf(""), 3e-5F, -HUGE_VALF},
                                             .unit_fraction = 0.5,
                                             .software = "x"});
  }
  std::string shown(const std::string& name, const ShowOptions& options = {}) {
    std::ostringstream out;
    show(folder_ / name, out, options);
    return out.str();
  }
  std::vector<std::string> exported(const std::string& name, TableForm form = TableForm::long_form,
                                    TableOf of = TableOf::values) {
    std::ostringstream out;
    export_csv(folder_ / name, out, form, of);
    return split(trim(out.str()), '\n');
  }
  lrid::testing::TemporaryFolder folder_;
};

TEST_F(FilesTest, ShowsEveryKind) {
  EXPECT_THAT(shown("t.h5"), AllOf(HasSubstr("a trajectory"), HasSubstr("learning rule fa"),
                                   HasSubstr("conv1 (early)"), HasSubstr("3 points × 2 layers × 45"),
                                   HasSubstr("of 1 point\n"), HasSubstr("validation_accuracy"),
                                   // actabs_mean is column 1, gradavgabs_id column 21
                                   ContainsRegex("conv1 .* 1001 +1201 +1021 +1221\n")));
  EXPECT_THAT(shown("d.h5"), AllOf(HasSubstr("a dataset"), HasSubstr("4, of 1 network\n"),
                                   HasSubstr("0.5 (2), 1 (2)"), HasSubstr("fa (4)"),
                                   // the mean of both layers, perfectly measured
                                   ContainsRegex("\nfa .* 1026 +1226 +1046 +1246\n")));
  EXPECT_THAT(shown("o.h5"),
              AllOf(HasSubstr("unit fraction 0.5"), HasSubstr("2 points × 1 layer × 2, 1 of them NaN")));
  io::Results results;
  results.experiment = "main";
  results.rows.emplace_back();
  results.rows[0].classifier = "svm";
  results.rows[0].condition = {{"measure", std::string("all")}};
  results.rows[0].accuracy = io::Figure::of({0.5});
  io::write_results(folder_ / "r", results);  // known by what it holds
  EXPECT_THAT(shown("r"), AllOf(HasSubstr("svm"), HasSubstr("0.5"), HasSubstr("measure all")));
  EXPECT_THAT(shown("t.h5"), Not(HasSubstr("Configuration")));
  EXPECT_THAT(shown("t.h5", {.config = true}),
              ::testing::EndsWith("\nConfiguration\n" + example_trajectory(1).config + "\n"));

  io::hdf5::OutputFile recording("lrid-recording");
  io::hdf5::Group layer = recording.root().create_group("layers/a");
  layer.set_attribute<std::string>("name", "V1");
  layer.write<float>("activations", {1, 2, 3, 4, 5, 6}, {1, 2, 3});
  recording.root().set_attribute<std::string>("source", "mouse 7");
  std::move(recording).save(folder_ / "rec.h5");
  EXPECT_THAT(shown("rec.h5"), AllOf(HasSubstr("a recording"), HasSubstr("V1"),
                                     HasSubstr("float32 [time,stimuli,units]"), HasSubstr("mouse 7")));

  io::hdf5::OutputFile other("somebody-elses");
  other.root().write<float>("deep/values", {1, 2}, {2});
  std::move(other).save(folder_ / "other.h5");
  EXPECT_THAT(shown("other.h5"), AllOf(HasSubstr("somebody-elses"), HasSubstr("/deep/values  float32 [2]")));
  EXPECT_THROW(shown("none.h5"), InputError);
}

TEST_F(FilesTest, ExportsARowPerLayerPointAndObservable) {
  const auto t = exported("t.h5");
  ASSERT_EQ(t.size(), 1U + 2 * 3 * 2 * 45);  // measurements × points × layers × observables
  EXPECT_EQ(
      t[0],
      "network,architecture,task,dataset,learning_rule,layer,layer_position,unit_fraction,noise,point,step,"
      "epoch,observable,value");
  EXPECT_EQ(t[1], "t,KNet4,cifar10,cifar10,fa,conv1,0,1,0,0,0,0,actabs_kurtosis,1000");
  EXPECT_EQ(t[2], "t,KNet4,cifar10,cifar10,fa,conv1,0,1,0,0,0,0,actabs_mean,1001");
  EXPECT_EQ(t[1 + 3 * 45], "t,KNet4,cifar10,cifar10,fa,\"fc,\"\"4\"\"\",2,1,0,1,5,0.5,actabs_kurtosis,1150");
  EXPECT_EQ(t[1 + 6 * 45], "t,KNet4,cifar10,cifar10,fa,conv1,0,0.5,0.25,0,0,0,actabs_kurtosis,1000");

  const auto d = exported("d.h5");
  ASSERT_EQ(d.size(), 1U + 4 * 3 * 45);
  EXPECT_EQ(d[1 + 45], "t,KNet4,cifar10,cifar10,fa,128,1,-1,0.3,conv1,0,1,0,1,actabs_kurtosis,1100");

  EXPECT_THAT(exported("o.h5"),
              ::testing::ElementsAre("network,layer,unit_fraction,noise,seed,point,observable,value",
                                     "o,V1,0.5,0,0,0,a,0.1", "o,V1,0.5,0,0,0,b,NaN", "o,V1,0.5,0,0,1,a,3e-05",
                                     "o,V1,0.5,0,0,1,b,-Inf"));
}

TEST_F(FilesTest, ExportsAWideTable) {
  EXPECT_THAT(exported("o.h5", TableForm::wide),
              ::testing::ElementsAre("network,layer,unit_fraction,noise,seed,point,a,b",
                                     "o,V1,0.5,0,0,0,0.1,NaN", "o,V1,0.5,0,0,1,3e-05,-Inf"));
  EXPECT_THAT(exported("t.h5", TableForm::wide)[4],
              StartsWith("t,KNet4,cifar10,cifar10,fa,\"fc,\"\"4\"\"\",2,1,0,1,5,0.5,1150,1151,"));
}

TEST_F(FilesTest, ExportsMetricsAndAlignmentOfATrajectory) {
  io::Trajectory t = example_trajectory(1);
  t.metrics = {{"train_loss", {NAN, 2.5, 1.25}}, {"validation_loss", {2.25, 2, 1.5}}};
  t.alignment = {.weight_angle = {90, 89, 60, 59, 30.5F, 29},
                 .error_angle = {NAN, 88, NAN, 58, NAN, 28},
                 .norm_ratio = {1, 1, 0.5, 0.5, 0.25, 2}};
  io::write_trajectory(folder_ / "ia.h5", t);
  const std::string network =
      fmt::format("ia,{},{},{},{},", t.architecture, t.task, t.dataset, t.learning_rule);
  const auto time = [&](std::size_t point) {
    return fmt::format("{},{},{}", point, t.step[point], t.epoch[point]);
  };
  EXPECT_THAT(
      exported("ia.h5", TableForm::wide, TableOf::metrics),
      ::testing::ElementsAre(
          "network,architecture,task,dataset,learning_rule,point,step,epoch,train_loss,validation_loss",
          network + time(0) + ",NaN,2.25", network + time(1) + ",2.5,2", network + time(2) + ",1.25,1.5"));
  const auto metrics = exported("ia.h5", TableForm::long_form, TableOf::metrics);
  ASSERT_EQ(metrics.size(), 7);
  EXPECT_THAT(metrics[0], ::testing::EndsWith(",epoch,metric,value"));
  EXPECT_EQ(metrics[4], network + time(1) + ",validation_loss,2");
  const auto angles = exported("ia.h5", TableForm::wide, TableOf::alignment);
  ASSERT_EQ(angles.size(), 7);
  EXPECT_EQ(angles[0],
            "network,architecture,task,dataset,learning_rule,layer,layer_position,point,step,epoch,"
            "weight_angle,error_angle,norm_ratio");
  EXPECT_THAT(angles[5], AllOf(StartsWith(network + t.layers[0]),
                               ::testing::EndsWith("," + time(2) + ",30.5,NaN,0.25")));
  EXPECT_EQ(exported("ia.h5", TableForm::long_form, TableOf::alignment).size(), 19);

  t.alignment.reset();
  io::write_trajectory(folder_ / "ia.h5", t);
  EXPECT_THAT([&] { (void)exported("ia.h5", TableForm::wide, TableOf::alignment); },
              ThrowsMessage<InputError>(HasSubstr("ia.h5: fa has no backward kernel")));
  EXPECT_THAT(
      [&] { (void)exported("d.h5", TableForm::wide, TableOf::metrics); },
      ThrowsMessage<InputError>(HasSubstr("d.h5: format is \"lrid-dataset\", expected a trajectory")));
}

TEST_F(FilesTest, ExportsResults) {
  io::Results results;
  results.experiment = "main";
  io::ResultRow row;
  row.classifier = "svm";
  row.condition = {{"measure", std::string("all")}, {"noise", 0.1}};
  row.accuracy = io::Figure::of({0.5, 0.75});
  row.n_train = 10;
  row.n_test = 5;
  row.n_networks = 3;
  row.extra["log_loss"] = io::Figure::of({2});
  results.rows.push_back(row);
  row.classifier = "forest";
  row.condition = {{"measure", std::string("a,b")}};
  row.accuracy = io::Figure::of({1});
  row.extra.clear();
  row.importances["x@1"] = 0.25;
  results.rows.push_back(row);
  io::write_results(folder_ / "results.json", results);
  EXPECT_THAT(exported("results.json"),
              ::testing::ElementsAre(
                  "experiment,classifier,measure,noise,n_train,n_test,n_networks,figure,split,value",
                  "main,svm,all,0.1,10,5,3,accuracy,mean,0.625", "main,svm,all,0.1,10,5,3,accuracy,sem,0.125",
                  "main,svm,all,0.1,10,5,3,accuracy,0,0.5", "main,svm,all,0.1,10,5,3,accuracy,1,0.75",
                  "main,svm,all,0.1,10,5,3,log_loss,mean,2", "main,svm,all,0.1,10,5,3,log_loss,sem,0",
                  "main,svm,all,0.1,10,5,3,log_loss,0,2", "main,forest,\"a,b\",,10,5,3,accuracy,mean,1",
                  "main,forest,\"a,b\",,10,5,3,accuracy,sem,0", "main,forest,\"a,b\",,10,5,3,accuracy,0,1",
                  "main,forest,\"a,b\",,10,5,3,importance_x@1,mean,0.25"));
  EXPECT_THAT(
      exported("results.json", TableForm::wide),
      ::testing::ElementsAre("experiment,classifier,measure,noise,n_train,n_test,n_networks,accuracy,"
                             "accuracy_sem,log_loss,log_loss_sem",
                             "main,svm,all,0.1,10,5,3,0.625,0.125,2,0", "main,forest,\"a,b\",,10,5,3,1,0,,"));

  // What has an interval over networks and a p-value says so in columns, or rows, of their own.
  results.rows[0].accuracy.interval = {0.25, 0.875};
  results.rows[0].accuracy.p = 0.5;
  io::write_results(folder_ / "results.json", results);
  EXPECT_THAT(
      exported("results.json", TableForm::wide),
      ::testing::ElementsAre("experiment,classifier,measure,noise,n_train,n_test,n_networks,accuracy,"
                             "accuracy_sem,accuracy_low,accuracy_high,accuracy_p,log_loss,log_loss_sem",
                             "main,svm,all,0.1,10,5,3,0.625,0.125,0.25,0.875,0.5,2,0",
                             "main,forest,\"a,b\",,10,5,3,1,0,,,,,"));
  EXPECT_THAT(exported("results.json"),
              ::testing::IsSupersetOf({"main,svm,all,0.1,10,5,3,accuracy,low,0.25",
                                       "main,svm,all,0.1,10,5,3,accuracy,high,0.875",
                                       "main,svm,all,0.1,10,5,3,accuracy,p,0.5"}));
}

TEST_F(FilesTest, ShowsAClassifier) {
  io::hdf5::OutputFile file("lrid-model");  // as lrid-classify fit writes it
  io::hdf5::Group& root = file.root();
  for (const char* name :
       {"classifier", "target", "setting", "dataset_sha256", "pool", "config", "software", "checksum"})
    root.set_attribute<std::string>(name, std::string("<") + name + ">");
  root.set_attribute("refuse", 0.05);
  root.set_attribute("inner_accuracy", 0.75);
  for (const char* name : {"samples", "networks", "points"}) root.set_attribute<std::int64_t>(name, 21);
  root.write<std::string>("classes", {"fa", "sgdm"});
  root.write<std::string>("observables", {"actabs_mean", "gradavgraw_id", "weightsq_median"});
  for (const char* name : {"calibration_samples", "calibration_networks"})
    root.create_group(name).set_attribute("inverse_temperature", 1.5);
  std::move(file).save(folder_ / "model.h5");
  const std::string text = shown("model.h5");
  for (const char* part :
       {"classifier of <target>", "<classifier> <setting>", "fa, sgdm", "21 samples of 21 networks (<pool>)",
        "0.75", "21 points × 3 observables", "act:            1: abs_mean", "weight:         1: sq_median",
        "inverse_temperature 1.5", "none of these:  never", "<checksum>"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("<config>")));
  EXPECT_THAT(shown("model.h5", {.config = true}), HasSubstr("Configuration\n<config>\n"));
}

TEST_F(FilesTest, ExportRefusesOtherFiles) {
  io::hdf5::OutputFile("lrid-recording").save(folder_ / "rec.h5");
  EXPECT_THAT([&] { (void)exported("rec.h5"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("rec.h5"), HasSubstr("lrid-recording"))));
  std::ostringstream broken;
  broken.setstate(std::ios::failbit);
  EXPECT_THROW(export_csv(folder_ / "t.h5", broken), WorkError);
}

}  // namespace
}  // namespace lrid::measure
