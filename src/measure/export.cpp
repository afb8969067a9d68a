#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/measure/export.hpp>

namespace lrid::measure {

namespace {

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}
template <class Number>
requires std::is_arithmetic_v<Number> std::string cell(Number value) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
  }
  return fmt::format("{}", value);  // the shortest decimal that reads back
}
template <class... Values>
std::string cells(const Values&... values) {
  return join({cell(values)...}, ",");
}

/// Rows of observables, each of some network, layer and point.
class Table {
 public:
  Table(std::ostream& out, TableForm form, const std::string& identity,
        const std::vector<std::string>& observables)
      : out_(out), form_(form) {
    for (const std::string& name : observables) observables_.push_back(cell(name));
    write(identity + "," + (form == TableForm::wide ? join(observables_, ",") : "observable,value"));
  }

  [[nodiscard]] std::size_t columns() const { return observables_.size(); }
  /// `identity` in the order of the header's.
  void row(const std::string& identity, const float* values) {
    std::string line = identity;
    for (std::size_t i = 0; i < columns(); ++i)
      if (form_ == TableForm::wide)
        line += "," + cell(values[i]);
      else
        write(identity + "," + observables_[i] + "," + cell(values[i]));
    if (form_ == TableForm::wide) write(line);
  }

 private:
  void write(const std::string& line) {
    out_ << line << '\n';
    if (!out_) work_failed("cannot write the table: the output takes no more");
  }
  std::ostream& out_;
  TableForm form_;
  std::vector<std::string> observables_;
};

/// Whether any units were counted or any noise is relative.
bool says_something(const std::vector<std::int64_t>& units, const std::vector<std::string>& noise_units) {
  return std::ranges::any_of(units, [](std::int64_t n) { return n != 0; }) ||
         std::ranges::any_of(noise_units, [](const std::string& unit) { return unit != "absolute"; });
}

void export_trajectory(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Trajectory t = io::read_trajectory(path);
  // Columns that say nothing are left out.
  const bool counted_units = t.imperfect && says_something(t.imperfect->units, {t.imperfect->noise_unit});
  Table table(
      out, form,
      std::string(
          "network,architecture,task,dataset,learning_rule,layer,layer_position,unit_fraction,noise,") +
          (counted_units ? "units,noise_unit," : "") + "point,step,epoch",
      t.observable_names);
  const std::string network = cells(path.stem().string(), t.architecture, t.task, t.dataset, t.learning_rule);
  const auto write = [&](double unit_fraction, double noise, std::int64_t units, const std::string& unit,
                         const float* values) {
    for (std::size_t point = 0; point < t.step.size(); ++point)
      for (std::size_t layer = 0; layer < t.layers.size(); ++layer, values += table.columns())
        table.row(
            network + "," +
                cells(t.layers[layer], static_cast<int>(t.layer_position[layer]), unit_fraction, noise) +
                (counted_units ? "," + cells(units, unit) : "") + "," +
                cells(point, t.step[point], t.epoch[point]),
            values);
  };
  write(1, 0, 0, "absolute", t.observables.data());
  if (!t.imperfect) return;
  for (std::size_t i = 0; i < t.imperfect->noise.size(); ++i)
    write(t.imperfect->unit_fraction[i], t.imperfect->noise[i],
          t.imperfect->units.empty() ? 0 : t.imperfect->units[i], t.imperfect->noise_unit,
          t.imperfect->observables.data() + i * t.observables.size());
}

void export_dataset(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Dataset d = io::read_dataset(path);
  const io::SampleMeta& meta = d.meta;
  const bool counted_units = says_something(meta.units, meta.noise_unit);
  Table table(
      out, form,
      std::string("network,architecture,task,dataset,learning_rule,batch_size,model_seed,dataset_seed,"
                  "final_accuracy,layer,layer_position,unit_fraction,noise,") +
          (counted_units ? "units,noise_unit," : "") + "point",
      d.observable_names);
  const float* values = d.x.data();
  for (std::size_t i = 0; i < meta.network.size(); ++i) {
    const std::string sample =
        cells(meta.network[i], meta.architecture[i], meta.task[i], meta.dataset[i], meta.learning_rule[i],
              meta.batch_size[i], meta.model_seed[i], meta.dataset_seed[i], meta.final_accuracy[i],
              meta.layer[i], static_cast<int>(meta.layer_position[i]), meta.unit_fraction[i], meta.noise[i]) +
        (counted_units ? "," + cells(meta.units[i], meta.noise_unit[i]) : "");
    for (std::int64_t point = 0; point < d.points; ++point, values += table.columns())
      table.row(sample + "," + cell(point), values);
  }
}

void export_observables(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Observables o = io::read_observables(path);
  const bool counted_units = says_something({o.units}, {o.noise_unit});
  Table table(out, form,
              std::string("network,layer,unit_fraction,noise,") + (counted_units ? "units,noise_unit," : "") +
                  "seed,point",
              o.observable_names);
  const float* values = o.values.data();
  for (std::int64_t point = 0; point < o.points; ++point)
    for (const std::string& layer : o.layers) {
      table.row(cells(path.stem().string(), layer, o.unit_fraction, o.noise) +
                    (counted_units ? "," + cells(o.units, o.noise_unit) : "") + "," + cells(o.seed, point),
                values);
      values += table.columns();
    }
}

}  // namespace

void export_csv(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const std::string format = io::hdf5::InputFile(path).format();
  if (format == "lrid-trajectory")
    export_trajectory(path, out, form);
  else if (format == "lrid-dataset")
    export_dataset(path, out, form);
  else if (format == "lrid-observables")
    export_observables(path, out, form);
  else
    bad_input("{}: format is \"{}\", expected lrid-trajectory, lrid-dataset or lrid-observables",
              path.string(), format);
  out.flush();
  if (!out) work_failed("cannot write the table: the output takes no more");
}

}  // namespace lrid::measure
