// A cell survives the way through its description: every field, every bit.
#include "campaign/cell_description.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;

class RandomCells {
public:
    CellConfig next() {
        CellConfig cell;
        cell.seed = bits_();
        cell.precision = choose(2) == 0 ? kernels::Precision::Float32 : kernels::Precision::Float64;
        cell.input.dimension = 1 + choose(3);
        cell.input.kind = static_cast<InputLaw::Kind>(choose(2));
        if (cell.input.kind == InputLaw::Kind::Normal) {
            cell.input.mean = real();
            cell.input.deviation = real();
            cell.input.bounded = choose(2) == 0;
        }
        if (cell.input.bounded) {
            cell.input.low = real();
            cell.input.high = real();
        }
        cell.target = "if(x1 < 0.5, \"\\quoted\\\", 2)";  // no expression, but text that JSON must escape
        cell.width = choose(5000);
        activation(cell.activation);
        cell.initialization.kind = static_cast<InitializationRule::Kind>(choose(7));
        cell.initialization.drawn_bias = choose(2) == 0;
        if (cell.initialization.kind == InitializationRule::Kind::Uniform) {
            cell.initialization.low = real();
            cell.initialization.high = real();
        }
        cell.batch = choose(1'000'000'000);
        cell.nodes_per_axis = choose(2) * choose(1000);
        optimizer(cell.optimizer);
        cell.learning_rate = {real(), choose(2) == 0 ? 0 : real()};
        cell.steps = static_cast<std::int64_t>(bits_() >> 1);
        cell.checks = static_cast<std::int32_t>(choose(1000));
        cell.tail = static_cast<std::int32_t>(choose(1000));
        cell.tolerance = real();
        cell.evaluation.check_nodes = choose(100'000);
        if (cell.input.dimension > 1) cell.evaluation.final_nodes = choose(100'000);
        return cell;
    }

private:
    std::int64_t choose(std::uint64_t options) { return static_cast<std::int64_t>(bits_() % options); }
    double real() {
        constexpr double specials[] = {
            0.1, 1, -1, 0.0, -0.0, 1e300, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e15, 123456789012345680};
        if (choose(3) == 0) return specials[choose(std::size(specials))];
        for (;;) {
            const double value = std::bit_cast<double>(bits_());
            if (std::isfinite(value)) return value;
        }
    }
    void activation(kernels::Activation& activation) {
        activation.kind = static_cast<ActivationKind>(choose(7));
        if (activation.kind == ActivationKind::LeakyRelu || activation.kind == ActivationKind::Clipping) activation.first = real();
        if (activation.kind == ActivationKind::Clipping) activation.second = real();
        if (activation.kind == ActivationKind::PowerRelu) activation.power = static_cast<std::int32_t>(choose(17));
    }
    void optimizer(kernels::Optimizer& optimizer) {
        optimizer.kind = static_cast<OptimizerKind>(choose(7));
        const bool adam = optimizer.kind == OptimizerKind::Adam;
        if (adam || optimizer.kind == OptimizerKind::Momentum || optimizer.kind == OptimizerKind::Nesterov) optimizer.alpha = real();
        if (adam || optimizer.kind == OptimizerKind::Rmsprop || optimizer.kind == OptimizerKind::Adadelta) optimizer.beta = real();
        if (optimizer.kind >= OptimizerKind::Adagrad) optimizer.epsilon = real();
        if (optimizer.kind == OptimizerKind::Adagrad) optimizer.epsilon_inside = choose(2) == 0;
        if (optimizer.kind == OptimizerKind::Rmsprop) optimizer.bias_correction = choose(2) == 0;
    }
    std::mt19937_64 bits_{20261121};
};

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// Field by field, not through describe(), which might leave one out.
void expect_same(const CellConfig& a, const CellConfig& b) {
    EXPECT_EQ(a.seed, b.seed);
    EXPECT_EQ(a.precision, b.precision);
    EXPECT_EQ(a.input.kind, b.input.kind);
    EXPECT_EQ(a.input.dimension, b.input.dimension);
    EXPECT_EQ(a.input.bounded, b.input.bounded);
    for (const auto member : {&InputLaw::low, &InputLaw::high, &InputLaw::mean, &InputLaw::deviation})
        EXPECT_EQ(bits(a.input.*member), bits(b.input.*member));
    EXPECT_EQ(a.target, b.target);
    EXPECT_EQ(a.width, b.width);
    EXPECT_EQ(a.activation.kind, b.activation.kind);
    EXPECT_EQ(bits(a.activation.first), bits(b.activation.first));
    EXPECT_EQ(bits(a.activation.second), bits(b.activation.second));
    EXPECT_EQ(a.activation.power, b.activation.power);
    EXPECT_EQ(a.initialization.kind, b.initialization.kind);
    EXPECT_EQ(a.initialization.drawn_bias, b.initialization.drawn_bias);
    EXPECT_EQ(bits(a.initialization.low), bits(b.initialization.low));
    EXPECT_EQ(bits(a.initialization.high), bits(b.initialization.high));
    EXPECT_EQ(a.batch, b.batch);
    EXPECT_EQ(a.nodes_per_axis, b.nodes_per_axis);
    EXPECT_EQ(a.optimizer.kind, b.optimizer.kind);
    EXPECT_EQ(bits(a.optimizer.alpha), bits(b.optimizer.alpha));
    EXPECT_EQ(bits(a.optimizer.beta), bits(b.optimizer.beta));
    EXPECT_EQ(bits(a.optimizer.epsilon), bits(b.optimizer.epsilon));
    EXPECT_EQ(a.optimizer.epsilon_inside, b.optimizer.epsilon_inside);
    EXPECT_EQ(a.optimizer.bias_correction, b.optimizer.bias_correction);
    EXPECT_EQ(bits(a.learning_rate.initial), bits(b.learning_rate.initial));
    EXPECT_EQ(a.learning_rate.power, b.learning_rate.power);  // -0 and 0 are both constant
    EXPECT_EQ(a.steps, b.steps);
    EXPECT_EQ(a.checks, b.checks);
    EXPECT_EQ(a.tail, b.tail);
    EXPECT_EQ(bits(a.tolerance), bits(b.tolerance));
    EXPECT_EQ(a.evaluation.check_nodes, b.evaluation.check_nodes);
    EXPECT_EQ(a.evaluation.final_nodes, b.evaluation.final_nodes);
}

TEST(CellDescription, RoundTripKeepsEveryBit) {
    RandomCells cells;
    for (int k = 0; k < 5000; ++k) {
        const CellConfig cell = cells.next();
        const std::string text = describe(cell);
        const CellConfig read = cell_from_description(text);
        expect_same(cell, read);
        EXPECT_EQ(read.description, text);
        EXPECT_EQ(read.id, cell_id(text));
        if (HasFailure()) FAIL() << text;
    }
}

TEST(CellDescription, IsCanonical) {
    CellConfig cell;
    cell.optimizer = {OptimizerKind::Adam, 0.9, 0.999, 1e-8, false, false};
    cell.evaluation.check_nodes = 256;
    const std::string expected =
        R"({"evaluation":{"check_nodes":256},"network":{"activation":{"name":"relu"},"initialization":{"bias":"drawn","name":"pytorch"},"width":1},)"
        R"("precision":"float32","problem":{"input":{"dimension":1,"high":1.0,"law":"uniform","low":0.0},"target":"x1"},"seed":1,"steps":1000,)"
        R"("tracking":{"checks":64,"tail":16,"tolerance":0.001},"training":{"batch":32,"optimizer":{"alpha":0.9,"beta":0.999,"epsilon":1e-08,)"
        R"("learning_rate":0.01,"name":"adam"},"sampling":"fresh"}})";
    EXPECT_EQ(describe(cell), expected);
    EXPECT_EQ(cell_id(expected), "dc57b895ddec5f20c3a197d8ca27bc1e") << "as the Python package xxhash computes it";
    EXPECT_EQ(cell_id("").size(), 32u);
    cell.activation.first = 7;        // a relu has no slope
    cell.evaluation.final_nodes = 7;  // in one dimension there is no final rule
    EXPECT_EQ(describe(cell), expected);
    cell.tolerance = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(describe(cell), Defect);
}

TEST(CellDescription, EveryMutilationIsRefused) {
    CellConfig cell;
    cell.learning_rate.power = 0.5;
    const nlohmann::json whole = nlohmann::json::parse(describe(cell));
    const nlohmann::json flat = whole.flatten();
    for (const auto& [place, value] : flat.items()) {
        const nlohmann::json::json_pointer pointer(place);
        nlohmann::json changed = whole;
        changed[pointer.parent_pointer()].erase(pointer.back());
        EXPECT_THROW(cell_from_description(changed.dump()), StoreError) << "without " << place;
        for (const nlohmann::json& wrong : {nlohmann::json(nullptr), nlohmann::json("x"), nlohmann::json(true), nlohmann::json::array()}) {
            if (wrong.is_string() && place == "/problem/target") continue;
            changed = whole;
            changed[pointer] = wrong;
            EXPECT_THROW(cell_from_description(changed.dump()), StoreError) << place << " = " << wrong;
        }
        changed = whole;
        changed[pointer.parent_pointer()]["unknown"] = 1;
        EXPECT_THROW(cell_from_description(changed.dump()), StoreError) << "unknown key beside " << place;
    }
    for (const char* text : {"", "{", "[]", "null", "1e999", "{\"seed\":1}", " {}"})
        EXPECT_THROW(cell_from_description(text), StoreError) << text;
    EXPECT_THROW(cell_from_description(whole.dump(2)), StoreError) << "not canonical";
    nlohmann::json huge = whole;
    huge["tracking"]["checks"] = 5'000'000'000;
    EXPECT_THROW(cell_from_description(huge.dump()), StoreError) << "does not fit 32 bits";
    huge["tracking"]["checks"] = -1;
    huge["seed"] = -1;
    EXPECT_THROW(cell_from_description(huge.dump()), StoreError) << "negative seed";
}

TEST(CellDescription, DifferencesNameTheKey) {
    CellConfig here, stored;
    EXPECT_EQ(description_difference(describe(here), describe(stored)), "");
    stored.learning_rate.initial = 0.1;
    stored.width = 8;
    EXPECT_EQ(description_difference(describe(here), describe(stored)),
              "network.width: 1 here, 8 in the store; training.optimizer.learning_rate: 0.01 here, 0.1 in the store");
    stored = here;
    stored.optimizer = {OptimizerKind::Momentum, 0.9, 0, 0, false, false};
    EXPECT_THAT(description_difference(describe(here), describe(stored)),
                ::testing::HasSubstr("training.optimizer.alpha: nothing here, 0.9 in the store"));
}

TEST(CellDescription, Labels) {
    CellConfig cell;
    fill_labels(cell);
    EXPECT_EQ(cell.optimizer_label, "sgd(0.01)");
    EXPECT_EQ(cell.input_label, "uniform on [0, 1]");
    EXPECT_EQ(cell.sampling_label, "fresh");
    cell.optimizer = {OptimizerKind::Adam, 0.9, 0.99, 1e-8, false, false};
    cell.learning_rate.power = 0.5;
    cell.activation = {ActivationKind::LeakyRelu, 0.01, 0, 0};
    cell.initialization.drawn_bias = false;
    cell.input = {InputLaw::Kind::Normal, 3, false, 0, 1, 0, 2};
    cell.nodes_per_axis = 128;
    fill_labels(cell);
    EXPECT_EQ(cell.optimizer_label, "adam(0.01 n^-0.5, beta=0.99)");
    EXPECT_EQ(cell.activation_label, "leaky_relu(0.01)");
    EXPECT_EQ(cell.initialization_label, "pytorch, zero bias");
    EXPECT_EQ(cell.input_label, "normal(0, 2)^3");
    EXPECT_EQ(cell.sampling_label, "nodes(128)");
}

}  // namespace
}  // namespace limrisk
