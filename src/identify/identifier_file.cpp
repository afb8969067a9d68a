#include <cmath>
#include <fstream>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/identify/identifier_file.hpp>
#include <lrid/identify/transform.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/learn/matrix_file.hpp>

namespace lrid::identify {

namespace {

constexpr const char* format_name = "lrid-model";
/// 2: transforms, calibration for new kinds, sets, ranges.
constexpr std::int64_t format_version = 2;

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

/// [kinds] of a figure of the kinds left out.
constexpr std::pair<const char*, double LeftOutKind::*> left_out_figures[] = {
    {"accuracy", &LeftOutKind::accuracy},
    {"calibration_error", &LeftOutKind::calibration_error},
    {"coverage", &LeftOutKind::coverage},
    {"set_size", &LeftOutKind::set_size},
    {"network_accuracy", &LeftOutKind::network_accuracy},
    {"network_coverage", &LeftOutKind::network_coverage},
    {"network_set_size", &LeftOutKind::network_set_size},
    {"refused", &LeftOutKind::refused},
    {"p", &LeftOutKind::p},
    {"network_p", &LeftOutKind::network_p}};
/// [kinds, 2] ends of an interval of theirs.
constexpr std::pair<const char*, Interval LeftOutKind::*> left_out_intervals[] = {
    {"interval", &LeftOutKind::interval}, {"network_interval", &LeftOutKind::network_interval}};

void save(io::hdf5::Group group, const std::vector<LeftOutKind>& kinds) {
  std::vector<std::string> columns, values;
  std::vector<std::int64_t> samples, networks;
  for (const LeftOutKind& kind : kinds) {
    columns.push_back(kind.column);
    values.push_back(kind.value);
    samples.push_back(kind.samples);
    networks.push_back(kind.networks);
  }
  group.write("column", columns);
  group.write("value", values);
  group.write("samples", samples);
  group.write("networks", networks);
  for (const auto& [name, figure] : left_out_figures) {
    std::vector<double> all;
    for (const LeftOutKind& kind : kinds) all.push_back(kind.*figure);
    group.write(name, all);
  }
  for (const auto& [name, interval] : left_out_intervals) {
    std::vector<double> ends;
    for (const LeftOutKind& kind : kinds) std::ranges::copy(kind.*interval, std::back_inserter(ends));
    group.write(name, ends, {std::ssize(kinds), 2});
  }
}

std::vector<LeftOutKind> load_left_out(const io::hdf5::Group& group) {
  const auto columns = group.dataset("column").read<std::string>({-1});
  const auto n = std::ssize(columns);
  const auto values = group.dataset("value").read<std::string>({n});
  const auto samples = group.dataset("samples").read<std::int64_t>({n}),
             networks = group.dataset("networks").read<std::int64_t>({n});
  std::vector<LeftOutKind> kinds(columns.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    kinds[i].column = columns[i];
    kinds[i].value = values[i];
    kinds[i].samples = samples[i];
    kinds[i].networks = networks[i];
  }
  for (const auto& [name, figure] : left_out_figures) {
    const auto all = group.dataset(name).read<double>({n});
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i].*figure = all[i];
  }
  for (const auto& [name, interval] : left_out_intervals) {
    const auto ends = group.dataset(name).read<double>({n, 2});
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i].*interval = {ends[2 * i], ends[2 * i + 1]};
  }
  return kinds;
}

void save(io::hdf5::Group group, const Ranges& ranges) {
  for (const auto& [quantity, range] : ranges) group.write(quantity, std::vector{range.low, range.high});
}

Ranges load_ranges(const io::hdf5::Group& group) {
  Ranges ranges;
  for (const std::string& quantity : group.names()) {
    const auto range = group.dataset(quantity).read<double>({2});
    ranges[quantity] = {range[0], range[1]};
  }
  return ranges;
}

void save(io::hdf5::Group group, const std::vector<std::vector<Course>>& courses) {
  const std::int64_t width = courses.empty() ? 0 : std::ssize(courses.front());
  std::vector<double> half_times, directions;
  for (const std::vector<Course>& of_class : courses)
    for (const Course& course : of_class) {
      half_times.push_back(course.half_time);
      directions.push_back(course.direction);
    }
  group.write("half_time", half_times, {std::ssize(courses), width});
  group.write("direction", directions, {std::ssize(courses), width});
}

std::vector<std::vector<Course>> load_courses(const io::hdf5::Group& group, std::int64_t classes,
                                              std::int64_t observables) {
  const auto half_times = group.dataset("half_time").read<double>({classes, observables}),
             directions = group.dataset("direction").read<double>({classes, observables});
  std::vector<std::vector<Course>> courses(to_size(classes));
  for (std::size_t i = 0; i < half_times.size(); ++i)
    courses[i / to_size(observables)].push_back({half_times[i], directions[i]});
  return courses;
}

void save(io::hdf5::Group group, const NewKinds& kinds) {
  io::hdf5::Group samples = group.create_group("samples"), networks = group.create_group("networks"),
                  sets = group.create_group("sets");
  kinds.samples.save(samples);
  kinds.networks.save(networks);
  kinds.sets.save(sets);
  group.write("left_out", kinds.left_out.distance());
  group.set_attribute("typical_distance", kinds.typical_distance);
  group.set_attribute("farthest", kinds.farthest);
}

NewKinds load_new_kinds(const io::hdf5::Group& group) {
  return {.samples = learn::DistanceCalibration::load(group.group("samples")),
          .networks = learn::DistanceCalibration::load(group.group("networks")),
          .sets = learn::Conformal::load(group.group("sets")),
          .left_out = learn::NoveltyReference(group.dataset("left_out").read<double>({-1})),
          .typical_distance = group.attribute<double>("typical_distance"),
          .farthest = group.attribute<double>("farthest")};
}

Eigen::RowVectorXd row_of(const std::vector<double>& values) {
  return Eigen::Map<const Eigen::RowVectorXd>(values.data(), std::ssize(values));
}

std::vector<double> values_of(const Eigen::RowVectorXd& row) {
  return {row.begin(), row.end()};
}

/// Everything of an identifier but its classes and layout.
void save(io::hdf5::Group& group, const Identifier& identifier) {
  io::hdf5::Group scaler = group.create_group("scaler");
  scaler.write("mean", values_of(identifier.scaler.mean()));
  scaler.write("sd", values_of(identifier.scaler.sd()));
  io::hdf5::Group model = group.create_group("model");
  identifier.model->save(model);
  if (identifier.margins) {
    io::hdf5::Group margins = group.create_group("margins");
    identifier.margins->save(margins);
  }
  const KnownKinds& kinds = identifier.known_kinds;
  group.write("known_kinds", std::vector<std::string>(kinds.names.begin(), kinds.names.end()));
  io::hdf5::Group samples = group.create_group("calibration_samples"),
                  networks = group.create_group("calibration_networks"),
                  sample_sets = group.create_group("sets_samples"),
                  network_sets = group.create_group("sets_networks");
  kinds.samples.save(samples);
  kinds.networks.save(networks);
  kinds.sample_sets.save(sample_sets);
  kinds.network_sets.save(network_sets);
  if (identifier.new_kinds) save(group.create_group("new_kinds"), *identifier.new_kinds);
  if (identifier.known) {
    const learn::FloatMatrix& features = identifier.known->features;
    group.write("known/features", std::span<const float>(features.data(), to_size(features.size())),
                {features.rows(), features.cols()}, io::hdf5::Storage::compressed);
    group.write("known/samples", identifier.known->samples.distance());
    group.write("known/networks", identifier.known->networks.distance());
    const std::vector<int>& of = identifier.known->networks.classes();
    group.write("known/classes", std::vector<std::int64_t>(of.begin(), of.end()));
  }
}

/// Reads what save() wrote, given classes and layout.
void load(const io::hdf5::Group& group, const std::string& classifier_name, Identifier& identifier) {
  const std::int64_t columns = identifier.layout.columns();
  identifier.scaler = learn::Scaler(row_of(group.dataset("scaler/mean").read<double>({columns})),
                                    row_of(group.dataset("scaler/sd").read<double>({columns})));
  const auto classes = static_cast<int>(identifier.classes.size());
  const std::unique_ptr<learn::Classifier> classifier = learn::classifiers().at(classifier_name).make();
  identifier.scores_are_probabilities = classifier->scores_are_probabilities();
  identifier.model = classifier->load(group.group("model"), identifier.layout.columns_only(), classes);
  if (group.has_group("margins"))
    identifier.margins = learn::MarginScaling::load(group.group("margins"), classes);
  const auto kinds = group.dataset("known_kinds").read<std::string>({-1});
  identifier.known_kinds = {
      .names = {kinds.begin(), kinds.end()},
      .samples = learn::Calibration::load(group.group("calibration_samples"), classes),
      .networks = learn::Calibration::load(group.group("calibration_networks"), classes),
      .sample_sets = learn::Conformal::load(group.group("sets_samples")),
      .network_sets = learn::Conformal::load(group.group("sets_networks"))};
  if (group.has_group("new_kinds")) identifier.new_kinds = load_new_kinds(group.group("new_kinds"));
  if (group.has_group("known")) {
    const auto features = group.dataset("known/features");
    const auto distances = group.dataset("known/networks").read<double>({-1});
    const auto of = group.dataset("known/classes").read<std::int64_t>({-1});
    if (!of.empty() && of.size() != distances.size()) group.fail("expected a class for each known network");
    const std::int64_t width = identifier.layout.continuous_columns();
    const std::vector<float> values = features.read<float>({-1, width});
    identifier.known = {
        .features = Eigen::Map<const learn::FloatMatrix>(values.data(), features.shape()[0], width),
        .samples = learn::NoveltyReference(group.dataset("known/samples").read<double>({-1})),
        .networks = learn::NoveltyReference(distances, {of.begin(), of.end()})};
  }
}

}  // namespace

std::string measurement_of(const io::SampleMeta& meta, std::size_t row) {
  const std::int64_t units = row < meta.units.size() ? meta.units[row] : 0;
  const bool is_relative = row < meta.noise_unit.size() && meta.noise_unit[row] == "relative";
  return fmt::format(
      "{}, {}",
      units > 0                      ? counted(units, "unit")
      : meta.unit_fraction[row] == 1 ? "all units"
                                     : fmt::format("{:g} of the units", meta.unit_fraction[row]),
      meta.noise[row] == 0
          ? "no noise"
          : fmt::format("noise {:g}{}", meta.noise[row], is_relative ? " standard deviations" : ""));
}

std::string describe(const LeftOutKind& kind, double confidence) {
  const auto with_interval = [](double accuracy, const Interval& interval) {
    return fmt::format("{:.2f}", accuracy) +
           (std::isfinite(interval.front())
                ? fmt::format(" [{:.2f}, {:.2f}]", interval.front(), interval.back())
                : "");
  };
  const bool judges_networks = std::isfinite(kind.network_accuracy);
  return fmt::format(
      "without {} {}: {} of {}{} right, ECE {:.2f}; sets at {:g} % hold the class of {:.2f} of the layers "
      "(mean size {:.1f}){}; {:.2f} untypical",
      kind.column, kind.value, with_interval(kind.accuracy, kind.interval), counted(kind.samples, "layer"),
      judges_networks
          ? fmt::format(" and {} of {}", with_interval(kind.network_accuracy, kind.network_interval),
                        counted(kind.networks, "network"))
          : "",
      kind.calibration_error, 100 * confidence, kind.coverage, kind.set_size,
      judges_networks
          ? fmt::format(" and {:.2f} of the networks ({:.1f})", kind.network_coverage, kind.network_set_size)
          : "",
      kind.refused);
}

io::Results left_out_results(const FittedFile& fitted) {
  io::Results results;
  results.experiment = "fit";
  results.dataset_sha256 = fitted.dataset_sha256;
  results.config = fitted.config;
  results.software = fitted.software;
  const std::string measure = std::ssize(fitted.measures) == std::ssize(measure_names()) - 1
                                  ? io::measure_name::all
                                  : join(fitted.measures, ", ");
  const auto figure = [](double mean) { return io::Figure::of({mean}); };
  const auto tested = [&](double mean, const Interval& interval, double p) {
    io::Figure result = figure(mean);
    if (std::isfinite(interval.front())) result.interval = interval;
    if (std::isfinite(p)) result.p = p;
    return result;
  };
  namespace name = io::extra_name;
  for (const LeftOutKind& kind : fitted.left_out) {
    io::ResultRow row;
    row.classifier = fitted.classifier;
    row.condition = {{io::condition_key::held_out, kind.value},
                     {io::condition_key::kind, kind.column},
                     {io::condition_key::measure, measure},
                     {io::condition_key::split, std::string(io::split_name::network)}};
    row.accuracy = tested(kind.accuracy, kind.interval, kind.p);
    row.labels = fitted.identifier.classes;
    row.n_train = fitted.samples - kind.samples;
    row.n_test = kind.samples;
    row.n_networks = fitted.networks;
    row.extra = {{name::calibration_error, figure(kind.calibration_error)},
                 {name::coverage, figure(kind.coverage)},
                 {name::set_size, figure(kind.set_size)},
                 {name::network_refused, figure(kind.refused)}};
    if (std::isfinite(kind.network_accuracy)) {
      row.extra[name::network_accuracy] =
          tested(kind.network_accuracy, kind.network_interval, kind.network_p);
      row.extra[name::network_coverage] = figure(kind.network_coverage);
      row.extra[name::network_set_size] = figure(kind.network_set_size);
    }
    results.rows.push_back(std::move(row));
  }
  return results;
}

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
  root.set_attribute<std::int64_t>("format_version", format_version);
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
  root.set_attribute("confidence", fitted.confidence);
  root.set_attribute("transform", identifier.layout.transform);
  root.set_attribute("position", std::int64_t{identifier.layout.with_position});
  root.set_attribute("points", identifier.layout.trajectory_points());
  root.write("measures", fitted.measures);
  root.write("measured", fitted.measured);
  root.write("classes", identifier.classes);
  root.write("observables", identifier.layout.observables);
  save(root, identifier);
  if (fitted.without_position) {
    io::hdf5::Group without = root.create_group("without_position");
    save(without, *fitted.without_position);
  }
  save(root.create_group("left_out"), fitted.left_out);
  save(root.create_group("ranges"), fitted.ranges);
  if (!fitted.courses.empty()) save(root.create_group("courses"), fitted.courses);
  io::hdf5::Group change = root.create_group("least_change");
  for (const auto& [measure, least] : fitted.least_change) change.set_attribute(measure, least);
  std::vector<std::string> tried;
  std::vector<double> accuracies;
  for (const TransformTrial& trial : fitted.trials) {
    tried.push_back(trial.transform);
    accuracies.push_back(trial.accuracy);
  }
  root.write("trials/transform", tried);
  root.write("trials/accuracy", accuracies);
  root.set_attribute("checksum", sha256(content_of(root)));
  std::move(file).save(path);
}

bool is_model_file(const std::filesystem::path& path) {
  // What is taken from a pipe is gone, and a model is read at random.
  if (type_of(path) != std::filesystem::file_type::regular) return false;
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  std::ifstream file(path, std::ios::binary);
  std::string begin(signature.size(), '\0');
  file.read(begin.data(), std::ssize(begin));
  return begin == signature;
}

FittedFile read_fitted(const std::filesystem::path& path) {
  const io::hdf5::InputFile file(path);
  const io::hdf5::Group& root = file.root();
  const auto version = root.attribute_or<std::int64_t>("format_version", 1);
  if (file.format() != format_name) file.require_format(format_name);
  if (version != format_version)
    bad_input("{}: a model file of version {}: expected version {}; fit it again with this lrid-classify",
              path.string(), version, format_version);
  if (sha256(content_of(root)) != root.attribute<std::string>("checksum"))
    bad_input(
        "{}: damaged: its checksum does not match its content; expected a file written by lrid-classify fit",
        path.string());
  FittedFile fitted{.identifier = {},
                    .without_position = {},
                    .classifier = root.attribute<std::string>("classifier"),
                    .target = root.attribute<std::string>("target"),
                    .refuse = root.attribute<double>("refuse"),
                    .confidence = root.attribute<double>("confidence"),
                    .measures = root.dataset("measures").read<std::string>({-1}),
                    .measured = root.dataset("measured").read<std::string>({-1}),
                    .left_out = load_left_out(root.group("left_out")),
                    .trials = {},
                    .ranges = load_ranges(root.group("ranges")),
                    .least_change = {},
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
  const Transform& transform = transforms().at(root.attribute<std::string>("transform"));
  identifier.layout = {.observables = root.dataset("observables").read<std::string>({-1}),
                       .points = root.attribute<std::int64_t>("points") - transform.fewer(),
                       .with_position = root.attribute<std::int64_t>("position") != 0,
                       .transform = transform.name,
                       .series = {}};
  for (const Series& series : transform.series) identifier.layout.series.push_back(series.name);
  const auto classes = static_cast<int>(identifier.classes.size());
  if (classes < 2 || identifier.layout.points < 1) root.fail("expected at least two classes and one point");
  load(root, fitted.classifier, identifier);
  if (root.has_group("without_position")) {
    fitted.without_position.emplace();
    fitted.without_position->classes = identifier.classes;
    fitted.without_position->layout = identifier.layout;
    fitted.without_position->layout.with_position = false;
    load(root.group("without_position"), fitted.classifier, *fitted.without_position);
  }
  if (root.has_group("courses"))
    fitted.courses = load_courses(root.group("courses"), classes, std::ssize(identifier.layout.observables));
  const io::hdf5::Group change = root.group("least_change");
  for (const std::string& measure : change.attribute_names())
    fitted.least_change[measure] = change.attribute<double>(measure);
  const auto tried = root.dataset("trials/transform").read<std::string>({-1});
  const auto accuracies = root.dataset("trials/accuracy").read<double>({std::ssize(tried)});
  for (std::size_t i = 0; i < tried.size(); ++i) fitted.trials.push_back({tried[i], accuracies[i]});
  return fitted;
}

}  // namespace lrid::identify
