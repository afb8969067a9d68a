#include <cmath>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/identify/identifier_file.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/learn/matrix_file.hpp>

namespace lrid::identify {

namespace {

constexpr const char* format_name = "lrid-model";

template <class T>
void append(std::string& text, const std::vector<T>& values) {
  if constexpr (std::is_same_v<T, std::string>)
    for (const std::string& value : values) text += value + '\0';
  else
    text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <class Node, class Read>
void append_by_kind(std::string& text, io::hdf5::Kind kind, const Node& node, const Read& read) {
  switch (kind) {
    case io::hdf5::Kind::integer:
      return append(text, read(std::int64_t{}));
    case io::hdf5::Kind::floating:
      return append(text, read(double{}));
    case io::hdf5::Kind::string:
      return append(text, read(std::string{}));
    case io::hdf5::Kind::other:
      node.fail("has a type that does not occur in model files");
  }
}

/// Names, shapes and values of everything in a group except an attribute `checksum`.
std::string content_of(const io::hdf5::Group& group) {
  std::string text;
  for (const std::string& name : group.attribute_names()) {
    if (name == "checksum") continue;
    text += "@" + name + "=";
    append_by_kind(text, group.attribute_kind(name), group,
                   [&]<class T>(const T& /*type*/) { return std::vector<T>{group.attribute<T>(name)}; });
  }
  for (const std::string& name : group.names()) {
    text += "/" + name + ":";
    if (group.has_group(name)) {
      text += content_of(group.group(name));
      continue;
    }
    const io::hdf5::Dataset data = group.dataset(name);
    text += io::hdf5::to_string(data.shape());
    append_by_kind(text, data.kind(), data, [&]<class T>(const T& /*type*/) { return data.read<T>(); });
  }
  return text;
}

void save(io::hdf5::Group group, const learn::NoveltyReference& reference) {
  group.write("uncertainty", reference.uncertainty());
  group.write("distance", reference.distance());
}

learn::NoveltyReference load_reference(const io::hdf5::Group& group) {
  auto uncertainty = group.dataset("uncertainty").read<double>({-1});
  auto distance = group.dataset("distance").read<double>({std::ssize(uncertainty)});
  return {std::move(uncertainty), std::move(distance)};
}

Eigen::RowVectorXd row_of(const std::vector<double>& values) {
  return Eigen::Map<const Eigen::RowVectorXd>(values.data(), std::ssize(values));
}

std::vector<double> values_of(const Eigen::RowVectorXd& row) {
  return {row.begin(), row.end()};
}

}  // namespace

std::string why_none_is_refused(const FittedFile& fitted) {
  if (!fitted.identifier.known) return "";
  const auto known = static_cast<double>(fitted.identifier.known->networks.distance().size());
  if (fitted.refuse <= 0 || 1 / (known + 1) <= fitted.refuse) return "";
  return fmt::format(
      "fitted to {}: no network can be refused as none of these, since its typicality is at least {:.3g}, "
      "above "
      "refuse = {:g}; expected at least {:.0f} networks, or a larger refuse",
      counted(static_cast<std::int64_t>(known), "network"), 1 / (known + 1), fitted.refuse,
      std::ceil(1 / fitted.refuse - 1 - 1e-9));
}

void write_fitted(const std::filesystem::path& path, const FittedFile& fitted) {
  const Identifier& identifier = fitted.identifier;
  io::hdf5::OutputFile file(format_name);
  io::hdf5::Group& root = file.root();
  root.set_attribute("software", software());
  root.set_attribute("classifier", fitted.classifier);
  root.set_attribute("target", fitted.target);
  root.set_attribute("refuse", fitted.refuse);
  root.set_attribute("setting", fitted.setting);
  root.set_attribute("inner_accuracy", fitted.inner_accuracy);
  root.set_attribute("samples", fitted.samples);
  root.set_attribute("networks", fitted.networks);
  root.set_attribute("dataset_sha256", fitted.dataset_sha256);
  root.set_attribute("pool", fitted.pool);
  root.set_attribute("config", fitted.config);
  root.set_attribute("points", identifier.layout.points);
  root.write("classes", identifier.classes);
  root.write("observables", identifier.layout.observables);
  io::hdf5::Group scaler = root.create_group("scaler");
  scaler.write("mean", values_of(identifier.scaler.mean()));
  scaler.write("sd", values_of(identifier.scaler.sd()));
  io::hdf5::Group model = root.create_group("model");
  identifier.model->save(model);
  io::hdf5::Group samples = root.create_group("calibration_samples"),
                  networks = root.create_group("calibration_networks");
  identifier.samples.save(samples);
  identifier.networks.save(networks);
  if (identifier.known) {
    const learn::FloatMatrix& features = identifier.known->features;
    root.write("known/features", std::span<const float>(features.data(), to_size(features.size())),
               {features.rows(), features.cols()}, io::hdf5::Storage::compressed);
    save(root.create_group("known/samples"), identifier.known->samples);
    save(root.create_group("known/networks"), identifier.known->networks);
  }
  root.set_attribute("checksum", sha256(content_of(root)));
  std::move(file).save(path);
}

FittedFile read_fitted(const std::filesystem::path& path) {
  const io::hdf5::InputFile file(path);
  file.require_format(format_name);
  const io::hdf5::Group& root = file.root();
  if (sha256(content_of(root)) != root.attribute<std::string>("checksum"))
    bad_input(
        "{}: damaged: its checksum does not match its content; expected a file written by lrid-classify fit",
        path.string());
  FittedFile fitted{.identifier = {},
                    .classifier = root.attribute<std::string>("classifier"),
                    .target = root.attribute<std::string>("target"),
                    .refuse = root.attribute<double>("refuse"),
                    .setting = root.attribute<std::string>("setting"),
                    .inner_accuracy = root.attribute<double>("inner_accuracy"),
                    .samples = root.attribute<std::int64_t>("samples"),
                    .networks = root.attribute<std::int64_t>("networks"),
                    .dataset_sha256 = root.attribute<std::string>("dataset_sha256"),
                    .pool = root.attribute<std::string>("pool"),
                    .config = root.attribute<std::string>("config"),
                    .software = root.attribute<std::string>("software")};
  Identifier& identifier = fitted.identifier;
  identifier.classes = root.dataset("classes").read<std::string>({-1});
  identifier.layout = {.observables = root.dataset("observables").read<std::string>({-1}),
                       .points = root.attribute<std::int64_t>("points"),
                       .with_position = true};
  const auto classes = static_cast<int>(identifier.classes.size());
  if (classes < 2 || identifier.layout.points < 1) root.fail("expected at least two classes and one point");
  const std::int64_t columns = identifier.layout.columns();
  identifier.scaler = learn::Scaler(row_of(root.dataset("scaler/mean").read<double>({columns})),
                                    row_of(root.dataset("scaler/sd").read<double>({columns})));
  const std::unique_ptr<learn::Classifier> classifier = learn::classifiers().at(fitted.classifier).make();
  identifier.scores_are_probabilities = classifier->scores_are_probabilities();
  identifier.model = classifier->load(root.group("model"), identifier.layout.columns_only(), classes);
  identifier.samples = learn::Calibration::load(root.group("calibration_samples"), classes);
  identifier.networks = learn::Calibration::load(root.group("calibration_networks"), classes);
  if (root.has_group("known")) {
    const auto features = root.dataset("known/features");
    const std::vector<float> values = features.read<float>({-1, columns});
    identifier.known = {
        .features = Eigen::Map<const learn::FloatMatrix>(values.data(), features.shape()[0], columns),
        .samples = load_reference(root.group("known/samples")),
        .networks = load_reference(root.group("known/networks"))};
  }
  return fitted;
}

}  // namespace lrid::identify
