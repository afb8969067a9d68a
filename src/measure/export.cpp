#include <string>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/measure/export.hpp>

namespace lrid::measure {

namespace {

/// One line after the other.
class CsvWriter {
 public:
  explicit CsvWriter(std::ostream& out) : out_(out) {}

  CsvWriter& cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return put(text);
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return put(quoted + "\"");
  }
  /// fmt writes the shortest decimal that reads back.
  template <class Number>
  requires std::is_arithmetic_v<Number> CsvWriter& cell(Number value) {
    return put(fmt::format("{}", value));
  }
  template <class T>
  CsvWriter& cells(const T* values, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) cell(values[i]);
    return *this;
  }
  void end_row() {
    line_ += '\n';
    out_ << line_;
    if (!out_) work_failed("cannot write the table: the output takes no more");
    line_.clear();
    first_ = true;
  }
  void header(const std::vector<std::string>& own, const std::vector<std::string>& observables) {
    cells(own.data(), own.size()).cells(observables.data(), observables.size()).end_row();
  }

 private:
  CsvWriter& put(const std::string& text) {
    if (!first_) line_ += ',';
    first_ = false;
    line_ += text;
    return *this;
  }
  std::ostream& out_;
  std::string line_;
  bool first_ = true;
};

void export_trajectory(const std::filesystem::path& path, CsvWriter& csv) {
  const io::Trajectory t = io::read_trajectory(path);
  const std::size_t layers = t.layers.size(), columns = t.observable_names.size();
  csv.header({"unit_fraction", "noise", "point", "step", "epoch", "layer", "layer_position"},
             t.observable_names);
  const auto write = [&](double unit_fraction, double noise, const float* observables) {
    for (std::size_t point = 0; point < t.step.size(); ++point)
      for (std::size_t layer = 0; layer < layers; ++layer) {
        csv.cell(unit_fraction).cell(noise).cell(point).cell(t.step[point]).cell(t.epoch[point]);
        csv.cell(t.layers[layer]).cell(static_cast<int>(t.layer_position[layer]));
        csv.cells(observables + (point * layers + layer) * columns, columns).end_row();
      }
  };
  write(1, 0, t.observables.data());
  if (!t.imperfect) return;
  for (std::size_t cell = 0; cell < t.imperfect->noise.size(); ++cell)
    write(t.imperfect->unit_fraction[cell], t.imperfect->noise[cell],
          t.imperfect->observables.data() + cell * t.observables.size());
}

void export_dataset(const std::filesystem::path& path, CsvWriter& csv) {
  const io::Dataset d = io::read_dataset(path);
  const io::SampleMeta& meta = d.meta;
  csv.header(
      {"sample", "network", "architecture", "task", "dataset", "learning_rule", "layer", "layer_position",
       "batch_size", "model_seed", "dataset_seed", "unit_fraction", "noise", "final_accuracy", "point"},
      d.observable_names);
  const std::size_t columns = d.observable_names.size();
  const float* row = d.x.data();
  for (std::size_t i = 0; i < meta.network.size(); ++i)
    for (std::int64_t point = 0; point < d.points; ++point, row += columns) {
      csv.cell(i).cell(meta.network[i]).cell(meta.architecture[i]).cell(meta.task[i]).cell(meta.dataset[i]);
      csv.cell(meta.learning_rule[i]).cell(meta.layer[i]).cell(static_cast<int>(meta.layer_position[i]));
      csv.cell(meta.batch_size[i]).cell(meta.model_seed[i]).cell(meta.dataset_seed[i]);
      csv.cell(meta.unit_fraction[i]).cell(meta.noise[i]).cell(meta.final_accuracy[i]).cell(point);
      csv.cells(row, columns).end_row();
    }
}

void export_observables(const std::filesystem::path& path, CsvWriter& csv) {
  const io::Observables o = io::read_observables(path);
  csv.header({"unit_fraction", "noise", "point", "layer"}, o.observable_names);
  const std::size_t columns = o.observable_names.size();
  const float* row = o.values.data();
  for (std::int64_t point = 0; point < o.points; ++point)
    for (const std::string& layer : o.layers) {
      csv.cell(o.unit_fraction).cell(o.noise).cell(point).cell(layer).cells(row, columns).end_row();
      row += columns;
    }
}

}  // namespace

void export_csv(const std::filesystem::path& path, std::ostream& out) {
  const io::hdf5::InputFile file(path);
  const std::string format = file.format();
  CsvWriter csv(out);
  if (format == "lrid-trajectory")
    export_trajectory(path, csv);
  else if (format == "lrid-dataset")
    export_dataset(path, csv);
  else if (format == "lrid-observables")
    export_observables(path, csv);
  else
    bad_input("{}: format is \"{}\", expected lrid-trajectory, lrid-dataset or lrid-observables",
              path.string(), format);
  out.flush();
  if (!out) work_failed("cannot write the table: the output takes no more");
}

}  // namespace lrid::measure
