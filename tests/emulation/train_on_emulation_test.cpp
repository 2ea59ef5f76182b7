// The initialize and train kernels of whole cells on an emulated GPU, in memory laid out by hand: the CPU backend's bits, wherever the
// planner puts the rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cell_plan.hpp"
#include "backend/cuda/kernel_plan.hpp"
#include "backend/cuda/spec_source.hpp"
#include "equality/random_cells.hpp"
#include "kernels/launch.hpp"
#include "kernels/schedule.hpp"
#include "loaded_program.hpp"

namespace limrisk::test {
namespace {

using namespace kernels;

struct Case {
    std::string name;
    std::int64_t width, dimension, batch;
    OptimizerKind optimizer;
    ActivationKind activation;
    Precision precision;
    bool fresh_samples = true;
    std::int64_t steps = 7, replicas = 5;
    int example = 0;  ///< of the optimizer's parameters
    NoiseLaw noise = {};
    InputLaw::Kind input = InputLaw::Kind::Uniform;
    bool own_ends = false;
    Sampling sampling = Sampling::Usual;  ///< else of data points
    std::int64_t points = 0;
    bool weighted = false;
    bool skip = false;  ///< with a skip connection
};

void PrintTo(const Case& of, std::ostream* out) { *out << of.name; }

CellConfig config_of(const Case& of) {
    CellConfig config;
    config.seed = 77;
    config.precision = of.precision;
    config.input.dimension = of.dimension;
    config.input.low = -1;
    config.input.kind = of.input;
    if (config.input.has_table()) config.input.a = 1.5, config.input.b = 3, config.input.density = "1 + x1^2";
    if (config.input.is_round()) config.input.bounded = false, config.input.radius = 1.25;
    for (std::int64_t k = 0; of.own_ends && k < of.dimension; ++k) {
        config.input.lows.push_back(-0.5 * static_cast<double>(k % 3));
        config.input.highs.push_back(1 + 0.25 * static_cast<double>(k % 2));
    }
    config.target = of.dimension == 1 ? "x1^2 + 2*x1" : "if(x1 < x2, sin(x1 * x2), max(abs(x1), 0.5) ^ 1.5)";
    config.width = of.width;
    config.skip = of.skip;
    config.activation = example_of(of.activation);
    config.batch = of.batch;
    if (!of.fresh_samples) config.nodes_per_axis = of.batch;
    config.noise = of.noise;
    if (config.input.has_table()) config.noise = {NoiseLaw::Kind::Normal, 1, 0, 0, 0, "0.1 + abs(x1)"};
    config.optimizer = example_of(of.optimizer, of.example);
    config.learning_rate = {0.03, 0.1};
    config.steps = of.steps;
    config.checks = config.tail = 1;
    config.evaluation = {8, 8};
    if (of.sampling != Sampling::Usual) {
        std::mt19937_64 engine(static_cast<std::uint64_t>(of.points));
        set_data(config, random_data(engine, of.dimension, of.points, of.weighted));
        config.sampling = of.sampling;
        config.evaluation = {};
    }
    return config;
}

/// Trains a cell's first replicas from `first_trial` on.
template <class Real>
class HandMadeRun {
public:
    HandMadeRun(const CellPlan& plan, const cuda::CellKernelPlan& kernels, std::int64_t first_trial, std::int64_t replicas,
                std::span<const cuda::SourceText> headers)
        : cell_(plan.cell()),
          job_(cuda::train_kernel_job(cell_, kernels.train)),
          train_("train", job_.source, {}, headers),
          initialize_(train_.device->load(emulated_machine_code("evaluate", cuda::evaluate_kernel_source(cell_, kernels.evaluate)))),
          lanes_((replicas * cell_.tile.lanes + 31) / 32 * 32 + 32) {
        const std::int64_t rows = row_count(cell_);
        const auto make_rows = [&](std::int64_t count) { return train_.allocate<Real>(static_cast<std::size_t>(count * lanes_)); };
        const int states = state_count(cell_.optimizer.kind);
        Piece<Real> piece{};
        piece.theta = make_rows(rows);
        piece.first = states >= 1 ? make_rows(rows) : nullptr;
        piece.second = states >= 2 ? make_rows(rows) : nullptr;
        piece.third = states >= 3 ? make_rows(rows) : nullptr;
        piece.was_inactive = make_rows(cell_.tile.neurons_per_lane);
        piece.gradient = make_rows(rows);
        piece.shifted = make_rows(rows);
        piece.totals = train_.allocate<double>(static_cast<std::size_t>(rows * lanes_));
        piece.replicas = train_.allocate<Replica>(static_cast<std::size_t>(replicas));
        piece.running = train_.allocate<std::uint8_t>(static_cast<std::size_t>(replicas));
        piece.count = replicas;
        piece.lanes = lanes_;
        piece.first_trial = first_trial;
        launch(*initialize_, "limrisk_initialize", kernels.evaluate, InitializeArguments<Real>{piece, cell_});
        // In two launches, so that the second goes on where the first stopped.
        std::vector<StepScalars> scalars(static_cast<std::size_t>(cell_.steps));
        Schedule(cell_.optimizer, cell_.learning_rate).next(scalars.data(), static_cast<int>(cell_.steps));
        const StepScalars* on_device = train_.upload(scalars);
        const std::int64_t middle = cell_.steps / 2;
        for (const auto& [from, to] : {std::pair<std::int64_t, std::int64_t>{0, middle}, {middle, cell_.steps}})
            launch(*train_.module, job_.kernel, kernels.train,
                   TrainArguments<Real>{piece, cell_.seed, from, to, on_device + from, nodes(), table(), picks(from)});
        theta_ = train_.download(piece.theta, static_cast<std::size_t>(rows * lanes_));
        if (states >= 1) first_ = train_.download(piece.first, theta_.size());
        if (states >= 2) second_ = train_.download(piece.second, theta_.size());
        if (states >= 3) third_ = train_.download(piece.third, theta_.size());
    }

    /// In canonical order, as FinalState.
    std::vector<double> parameters(std::int64_t replica) const { return canonical(theta_, replica); }
    std::vector<double> first_state(std::int64_t replica) const { return canonical(first_, replica); }
    std::vector<double> second_state(std::int64_t replica) const { return canonical(second_, replica); }
    std::vector<double> third_state(std::int64_t replica) const { return canonical(third_, replica); }

private:
    template <class Arguments>
    void launch(cuda::Module& module, const std::string& name, const cuda::KernelPlan& plan, const Arguments& arguments) {
        const std::int64_t warps = (lanes_ - 32) / 32, blocks = (warps + plan.warps - 1) / plan.warps;
        train_.stream->launch(module.kernel(name, plan.shared_bytes), blocks, plan.threads(), plan.shared_bytes, &arguments);
    }

    NodeTable<Real> nodes() {
        NodeTable<Real> table{};
        if constexpr (sizeof(Real) == 4)
            table = cell_.training_nodes_float;
        else
            table = cell_.training_nodes_double;
        if (table.count == 0) return table;
        const auto upload = [&](const Real* values, std::int64_t count) {
            return train_.upload(std::vector<Real>(values, values + count));
        };
        return {upload(table.inputs, table.count * cell_.dimension), upload(table.targets, table.count), upload(table.weights, table.count),
                table.count};
    }

    QuantileTable<Real> table() {
        QuantileTable<Real> table = input_table<Real>(cell_);
        if (table.count > 0) table.numbers = train_.upload(std::vector<Real>(table.numbers, table.numbers + number_count(table)));
        return table;
    }

    PickTables picks(std::int64_t from) {
        const std::int64_t points = cell_.training_nodes_double.count;
        const std::uint32_t* const thresholds = cell_.pick_thresholds;
        const std::uint32_t* on_device = nullptr;
        if (thresholds) on_device = train_.upload(std::vector<std::uint32_t>(thresholds, thresholds + points - 1));
        return cell_.picks == Picks::None ? PickTables{} : PickTables{on_device, points, from * cell_.batch, cell_.batch};
    }

    std::vector<double> canonical(const std::vector<Real>& rows, std::int64_t replica) const {
        const std::int64_t d = cell_.dimension, h = cell_.width;
        std::vector<double> values(static_cast<std::size_t>(parameter_count(cell_)));
        if (rows.empty()) return values;  // the optimizer has no such state
        const auto at = [&](std::int64_t row, std::int64_t lane) {
            return static_cast<double>(rows[static_cast<std::size_t>(row * lanes_ + replica * cell_.tile.lanes + lane)]);
        };
        for (std::int64_t i = 0; i < h; ++i)
            for (std::int64_t k = 0; k < d + 2; ++k)
                values[static_cast<std::size_t>(k < d ? i * d + k : k * h + i)] =
                    at(i / cell_.tile.lanes * (d + 2) + k, i % cell_.tile.lanes);
        for (std::int64_t k = 0; k < parameter_count(0, d, cell_.skip); ++k)
            values[static_cast<std::size_t>(h * (d + 2) + k)] = at(cell_.tile.neurons_per_lane * (d + 2) + k, 0);
        return values;
    }

    const Cell& cell_;
    cuda::CompileJob job_;
    LoadedProgram train_;
    std::unique_ptr<cuda::Module> initialize_;
    std::int64_t lanes_;
    std::vector<Real> theta_, first_, second_, third_;
};

/// Where two states differ first; "" if nowhere.
std::string difference(const std::vector<double>& found, const std::vector<double>& expected, const std::string& what) {
    if (found.size() != expected.size()) return fmt::format("{}: {} coordinates, not {}\n", what, found.size(), expected.size());
    for (std::size_t j = 0; j < found.size(); ++j)
        if (!(found[j] == expected[j])) return fmt::format("{} coordinate {}: {}, should be {}\n", what, j, found[j], expected[j]);
    return "";
}

/// What differs between the emulated GPU and the CPU backend.
template <class Real>
std::string differences(const CellPlan& plan, const cuda::CellKernelPlan& kernels, std::int64_t replicas,
                        std::span<const cuda::SourceText> headers) {
    constexpr std::int64_t first_trial = 1000;
    WorkStatus status;
    const auto block = make_cpu_backend(1)->run({&plan, first_trial, replicas}, status, {false, true});
    const HandMadeRun<Real> run(plan, kernels, first_trial, replicas, headers);
    std::string text;
    for (std::int64_t r = 0; r < replicas; ++r) {
        const FinalState& expected = block.value().states[static_cast<std::size_t>(r)];
        const std::string what = fmt::format("{}: replica {}", cuda::describe_plan(plan.cell(), kernels.train), r);
        text += difference(run.parameters(r), expected.parameters, what + " parameters");
        text += difference(run.first_state(r), expected.first_state, what + " first state");
        text += difference(run.second_state(r), expected.second_state, what + " second state");
        text += difference(run.third_state(r), expected.third_state, what + " third state");
    }
    return text;
}

/// `planned`, or the same cell with everything that can be there in `storage`.
cuda::CellKernelPlan with_train_rows_in(Storage storage, const Cell& cell, cuda::CellKernelPlan planned) {
    constexpr int warps = 2;
    const std::int64_t rows = shared_rows(storage, storage, cell.tile, cell.dimension, cell.skip, cell.optimizer, cell.average);
    const std::size_t real = cell.precision == Precision::Float32 ? 4 : 8;
    const Storage states = state_arrays(cell.optimizer, cell.average) == 0 ? Storage::Registers : storage;
    planned.train = {storage, states, warps, static_cast<std::size_t>(rows * 32 * warps) * real};
    return planned;
}

constexpr std::size_t block_bytes = 227 * 1024;

class TrainOnEmulation : public testing::TestWithParam<Case> {};

TEST_P(TrainOnEmulation, GivesTheBitsOfTheCpuBackend) {
    const Case& of = GetParam();
    const CellPlan plan(config_of(of));
    const auto compare = of.precision == Precision::Float32 ? differences<float> : differences<double>;
    const cuda::CellKernelPlan planned = cuda::plan_kernels(plan.cell(), block_bytes, 90);
    EXPECT_EQ(compare(plan, planned, of.replicas, cuda::device_headers()), "");
    if (planned.train.network == Storage::Registers) {
        cuda::CellKernelPlan other = planned;
        other.train.rebroadcast = !planned.train.rebroadcast;
        other.train.keeps = !planned.train.keeps;
        EXPECT_EQ(compare(plan, other, of.replicas, cuda::device_headers()), "");
    }
    for (const Storage storage : {Storage::Shared, Storage::Global}) {
        const cuda::CellKernelPlan other = with_train_rows_in(storage, plan.cell(), planned);
        if (other.train.shared_bytes <= block_bytes && other.train != planned.train) {
            EXPECT_EQ(compare(plan, other, of.replicas, cuda::device_headers()), "");
        }
    }
}

const Case wide{"wide_and_deep_in_dimensions", 300, 10, 70, OptimizerKind::Rmsprop, ActivationKind::Tanh, Precision::Float32, true, 3, 2};

/// Short rounds, laid out one after the other, in two blocks; preactivations kept.
const Case narrow{"adam_8_two_blocks", 8, 1, 70, OptimizerKind::Adam, ActivationKind::Relu, Precision::Float32};

Case skip_case(const char* name, std::int64_t width, std::int64_t dimension, std::int64_t batch, OptimizerKind optimizer,
               Precision precision) {
    Case of{name, width, dimension, batch, optimizer, ActivationKind::Relu, precision};
    of.steps = 5;
    of.skip = true;
    return of;
}

/// Two blocks of sums, rounds in which lanes have no sample, and preactivations kept.
const Case skip_narrow = skip_case("skip_31_d2_two_blocks", 31, 2, 71, OptimizerKind::Sgd, Precision::Float32);
const Case skip_wide = skip_case("skip_300_d10", 300, 10, 60, OptimizerKind::Adam, Precision::Float32);

Case data_case(const char* name, std::int64_t width, std::int64_t dimension, std::int64_t batch, Precision precision, Sampling sampling,
               std::int64_t points, bool weighted = false) {
    Case of{name, width, dimension, batch, OptimizerKind::Adam, ActivationKind::Relu, precision};
    of.steps = 5;
    of.sampling = sampling;
    of.points = points;
    of.weighted = weighted;
    return of;
}

/// Batches of 3 of 5 points: an epoch ends between the samples of a lane.
const Case epochs = data_case("epochs_8", 8, 1, 3, Precision::Float32, Sampling::Epochs, 5);
/// Batches of more than two epochs, which end between launches, too.
const Case long_epochs = data_case("epochs_31_d2_double", 31, 2, 67, Precision::Float64, Sampling::Epochs, 23);
const Case with_replacement = data_case("with_replacement_8_d3", 8, 3, 13, Precision::Float32, Sampling::WithReplacement, 11, true);
/// The words of a call go to samples of two lanes.
const Case halves_of_calls =
    data_case("with_replacement_13_d2_double", 13, 2, 31, Precision::Float64, Sampling::WithReplacement, 100, true);

/// Data points: every sampling in both precisions, with as many samples of a lane as there can be.
std::vector<Case> data_cases() {
    return {epochs,
            long_epochs,
            with_replacement,
            data_case("full_batch_31_weights", 31, 1, 67, Precision::Float32, Sampling::FullBatch, 67, true),
            data_case("full_batch_9_d4_double", 9, 4, 17, Precision::Float64, Sampling::FullBatch, 17, true),
            data_case("with_replacement_31_two_blocks", 31, 1, 70, Precision::Float32, Sampling::WithReplacement, 9),
            halves_of_calls,
            data_case("epochs_13_d4", 13, 4, 31, Precision::Float32, Sampling::Epochs, 129),
            data_case("epochs_9_d5_double", 9, 5, 9, Precision::Float64, Sampling::Epochs, 16)};
}

/// ReLU, whose passes are written for it, and wide networks; then the k-th optimizer with the k-th activation: every kind of both, in one
/// of five shapes.
std::vector<Case> all_cases() {
    std::vector<Case> cases{
        {"sgd_64", 64, 1, 64, OptimizerKind::Sgd, ActivationKind::Relu, Precision::Float32},
        {"adam_33_odd_batch", 33, 1, 67, OptimizerKind::Adam, ActivationKind::Relu, Precision::Float32},
        {"nesterov_31_d2", 31, 2, 13, OptimizerKind::Nesterov, ActivationKind::Relu, Precision::Float32},
        {"sgd_140_long_batch", 140, 1, 493, OptimizerKind::Sgd, ActivationKind::Relu, Precision::Float32},
        {"nesterov_600_d2", 600, 2, 70, OptimizerKind::Nesterov, ActivationKind::Relu, Precision::Float32, true, 3, 2},
        {"power_relu_40_d10_double", 40, 10, 40, OptimizerKind::Sgd, ActivationKind::PowerRelu, Precision::Float64},
        {"nesterov_sum_31_d2", 31, 2, 13, OptimizerKind::Nesterov, ActivationKind::Relu, Precision::Float32, true, 7, 5, 1},
        {"nesterov_decoupled_31_d2", 31, 2, 13, OptimizerKind::Nesterov, ActivationKind::Relu, Precision::Float32, true, 7, 5, 2},
        {"adadelta_5_d3_double", 5, 3, 37, OptimizerKind::Adadelta, ActivationKind::Relu, Precision::Float64},
        {"normal_noise_64",
         64,
         1,
         64,
         OptimizerKind::Sgd,
         ActivationKind::Relu,
         Precision::Float32,
         true,
         7,
         5,
         0,
         {NoiseLaw::Kind::Normal, 0.5}},
        {"two_point_noise_31_d2",
         31,
         2,
         13,
         OptimizerKind::Adam,
         ActivationKind::Relu,
         Precision::Float64,
         true,
         7,
         5,
         0,
         {NoiseLaw::Kind::TwoPoint, 1, 0, 1, 0.25}},
        {"exponential_noise_9_d5",
         9,
         5,
         9,
         OptimizerKind::Sgd,
         ActivationKind::Tanh,
         Precision::Float32,
         true,
         7,
         5,
         0,
         {NoiseLaw::Kind::Exponential, 0.25}},
        {"uniform_noise_600_d2",
         600,
         2,
         37,
         OptimizerKind::Sgd,
         ActivationKind::Relu,
         Precision::Float32,
         true,
         3,
         2,
         0,
         {NoiseLaw::Kind::Uniform, 1, -1, 2}},
        wide,
        narrow,
    };
    // On a sphere, in a ball, and on boxes whose coordinates have their own ends, in registers and beyond.
    const auto add_input = [&](const char* name, std::int64_t width, std::int64_t dimension, std::int64_t batch, Precision precision,
                               InputLaw::Kind input, bool own_ends, std::int64_t steps = 7, std::int64_t replicas = 5) {
        cases.push_back({name,
                         width,
                         dimension,
                         batch,
                         OptimizerKind::Sgd,
                         ActivationKind::Relu,
                         precision,
                         true,
                         steps,
                         replicas,
                         0,
                         {},
                         input,
                         own_ends});
    };
    using Input = InputLaw::Kind;
    add_input("sphere_31_d2", 31, 2, 13, Precision::Float32, Input::Sphere, false);
    add_input("sphere_9_d5_double", 9, 5, 9, Precision::Float64, Input::Sphere, false);
    add_input("ball_31_d2_double", 31, 2, 13, Precision::Float64, Input::Ball, false);
    add_input("ball_9_d5", 9, 5, 9, Precision::Float32, Input::Ball, false);
    add_input("ball_300_d10", 300, 10, 70, Precision::Float32, Input::Ball, false, 3, 2);
    add_input("beta_31_d2", 31, 2, 13, Precision::Float32, Input::Beta, false);
    add_input("beta_9_d5_own_ends_double", 9, 5, 9, Precision::Float64, Input::Beta, true);
    add_input("density_31_d1", 31, 1, 13, Precision::Float32, Input::Density, false);
    add_input("density_300_d1_double", 300, 1, 70, Precision::Float64, Input::Density, false, 3, 2);
    add_input("own_ends_31_d2", 31, 2, 13, Precision::Float32, Input::Uniform, true);
    add_input("own_ends_300_d10", 300, 10, 70, Precision::Float32, Input::Uniform, true, 3, 2);
    add_input("own_ends_normal_9_d5_double", 9, 5, 9, Precision::Float64, Input::Normal, true);
    for (const Case& of : data_cases()) cases.push_back(of);
    for (const Case& of : {skip_narrow, skip_wide, skip_case("skip_8", 8, 1, 64, OptimizerKind::Adam, Precision::Float32),
                           skip_case("skip_5_d4_nesterov", 5, 4, 13, OptimizerKind::Nesterov, Precision::Float32),
                           skip_case("skip_9_d3_double", 9, 3, 17, OptimizerKind::Momentum, Precision::Float64)})
        cases.push_back(of);
    for (int k = 0; k < std::max(activation_count, optimizer_count); ++k) {
        const OptimizerTraits& optimizer = optimizer_table[k % optimizer_count];
        const ActivationTraits& activation = activation_table[k % activation_count];
        const std::string name = fmt::format("{}_{}", optimizer.name, activation.name);
        if (k % 2 == 0)
            cases.push_back({name, 17, 1, 37, optimizer.kind, activation.kind, Precision::Float64, false, 7, 5, k % 3});
        else
            cases.push_back({name, 1, 1, 3, optimizer.kind, activation.kind, Precision::Float32, true, 20, 70, k % 3});
        if (k % 4 == 0) cases.push_back({name + "_nodes", 3, 1, 128, optimizer.kind, activation.kind, Precision::Float32, false});
        if (k % 4 == 1) cases.push_back({name + "_d5", 9, 5, 9, optimizer.kind, activation.kind, Precision::Float32});
        if (k % 4 == 3) cases.push_back({name + "_d2", 13, 2, 31, optimizer.kind, activation.kind, Precision::Float64});
    }
    return cases;
}

INSTANTIATE_TEST_SUITE_P(, TrainOnEmulation, testing::ValuesIn(all_cases()), [](const auto& of) { return of.param.name; });

/// Mistakes that only lanes side by side can show, put into the text that is compiled.
struct Mistake {
    const char *name, *header, *right, *wrong;
    bool in_registers = false;  ///< seen where the plan is for registers
    const Case* of = nullptr;   ///< of which it is seen, wherever the rows are or in registers
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class PlantedOnEmulation : public testing::TestWithParam<Mistake> {};

TEST_P(PlantedOnEmulation, IsSeen) {
    const Mistake& mistake = GetParam();
    std::vector<cuda::SourceText> headers(cuda::device_headers().begin(), cuda::device_headers().end());
    std::string text;
    for (cuda::SourceText& header : headers)
        if (header.name == mistake.header) {
            text = header.text;
            const std::size_t place = text.find(mistake.right);
            ASSERT_NE(place, std::string::npos) << "the line has changed: plant another mistake";
            text.replace(place, std::string_view(mistake.right).size(), mistake.wrong);
            header.text = text;
        }
    ASSERT_FALSE(text.empty());
    const Case& of = mistake.of ? *mistake.of : mistake.in_registers ? narrow : wide;  // whose lanes read each other's samples from memory
    const CellPlan plan(config_of(of));
    if (mistake.in_registers) {
        const cuda::CellKernelPlan kernels = cuda::plan_kernels(plan.cell(), block_bytes, 90);
        ASSERT_TRUE(kernels.train.keeps);
        EXPECT_NE(differences<float>(plan, kernels, of.replicas, headers), "");
        return;
    }
    const auto compare = of.precision == Precision::Float32 ? differences<float> : differences<double>;
    for (const Storage storage : {Storage::Shared, Storage::Global}) {
        const cuda::CellKernelPlan kernels = with_train_rows_in(storage, plan.cell(), cuda::plan_kernels(plan.cell(), block_bytes, 90));
        EXPECT_NE(compare(plan, kernels, of.replicas, headers), "") << cuda::describe_plan(plan.cell(), kernels.train);
    }
}

constexpr Mistake mistakes[] = {
    {"halves_swapped", "kernels/pack_device.hpp", "upper ? b : a", "upper ? a : b"},
    {"wrong_neighbour", "kernels/pack_device.hpp", "pack.part[0], distance)", "pack.part[0], distance ^ 1)"},
    {"samples_read_too_early", "kernels/fixed_shape.hpp", "load(base);\n            warp_barrier();", "load(base);"},
    {"samples_replaced_too_early", "kernels/fixed_shape.hpp", "warp_barrier();\n            load(base);", "load(base);"},
    {"preactivation_of_another_neuron", "kernels/network.hpp", "z[s] = kept.z[place_of(first + s, q, p)]",
     "z[s] = kept.z[place_of(first + s, q ^ 1, p)]", true},
    {"target_of_another_round", "kernels/fused_step.hpp", "targets + t, weights + t", "targets, weights + t", true},
    {"states_of_another_row", "kernels/optimizer.hpp", "if constexpr (states >= 2) s[i] = second[row].part[p];",
     "if constexpr (states >= 2) s[i] = second[row ^ 1].part[p];", true},
    {"next_epoch_in_the_same_order", "kernels/cuda_picks.hpp", "++at.epoch;", "", false, &epochs},
    {"epoch_of_the_first_sample", "kernels/cuda_picks.hpp", "place.epoch + epochs", "place.epoch", false, &long_epochs},
    {"order_is_walked_once", "kernels/cuda_picks.hpp", "next[t] < order.count", "true", false, &epochs},
    {"every_launch_begins_an_epoch", "kernels/fused_step.hpp", "place_(picks.start)", "place_()", false, &long_epochs},
    {"batches_are_less_than_an_epoch", "kernels/fused_step.hpp", "place_.epoch += picks_.batch.epoch;", "", false, &long_epochs},
    {"word_of_another_sample", "kernels/cuda_picks.hpp", "first % 4 == w - t", "first % 4 == w", false, &halves_of_calls},
    {"drawn_without_weights", "kernels/cuda_picks.hpp", "thresholds == nullptr ?", "true ?", false, &with_replacement},
    {"skip_left_out", "kernels/network.hpp", "fma(theta[row].part[p], own_input(row), line)", "line", true, &skip_narrow},
    {"skip_weights_in_another_order", "kernels/network.hpp", "body(layout_.outer_bias() + 1 + k)",
     "body(layout_.outer_bias() + LayoutType::skip_rows() - k)", true, &skip_narrow},
    {"skip_weights_in_another_order_in_memory", "kernels/network.hpp", "body(layout_.outer_bias() + 1 + k)",
     "body(layout_.outer_bias() + LayoutType::skip_rows() - k)", false, &skip_wide},
    {"skip_sums_of_absent_samples", "kernels/network.hpp", "sum = masked_fma(own, r.error,", "sum = fma(r.error,", true, &skip_narrow},
    {"skip_input_of_the_first_round", "kernels/network.hpp", "block.inputs[t * d + row", "block.inputs[row", false, &skip_narrow},
    {"skip_gradient_of_one_lane", "kernels/network.hpp", "gradient[row] = tile_sum(gradient[row], layout_.tile)", "", false, &skip_wide},
    {"skip_totals_of_one_lane", "kernels/network.hpp", "from_double<Real>(tile_sum(totals[row], layout_.tile))",
     "from_double<Real>(totals[row])", true, &skip_narrow},
    {"skip_totals_of_the_errors", "kernels/fixed_shape.hpp", "skip_rows() > 0 ? row == layout_.outer_bias()",
     "skip_rows() < 0 ? row == layout_.outer_bias()", true, &skip_narrow},
};
INSTANTIATE_TEST_SUITE_P(, PlantedOnEmulation, testing::ValuesIn(mistakes), [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace limrisk::test
