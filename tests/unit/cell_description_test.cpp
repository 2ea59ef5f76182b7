// A cell survives the way through its description: every field, every bit.
#include "campaign/cell_description.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "kernels/kinds.hpp"
#include "limrisk/error.hpp"
#include "tests/enum_values.hpp"

namespace limrisk {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;

constexpr GroupLaw InitializationRule::*all_group_laws[] = {&InitializationRule::inner_weight, &InitializationRule::inner_bias,
                                                            &InitializationRule::outer_weight, &InitializationRule::outer_bias,
                                                            &InitializationRule::skip_weight};

/// Cells that a campaign could have, with numbers of all magnitudes.
class RandomCells {
public:
    CellConfig next() {
        CellConfig cell;
        cell.seed = bits_();
        cell.precision = any<kernels::Precision>();
        cell.input.dimension = 1 + choose(3);
        cell.input.kind = any<InputLaw::Kind>();
        if (cell.input.kind == InputLaw::Kind::Normal) {
            cell.input.mean = real();
            cell.input.deviation = positive();
            cell.input.bounded = choose(2) == 0;
        }
        if (cell.input.is_round()) {
            cell.input.dimension += 1;
            cell.input.bounded = false;
            cell.input.radius = 1e-6 + fraction();
        }
        if (cell.input.kind == InputLaw::Kind::Beta) {
            cell.input.a = 1 + fraction();
            cell.input.b = 1 + fraction();
        }
        if (cell.input.kind == InputLaw::Kind::Density) {
            cell.input.dimension = 1;
            cell.input.density = choose(2) == 0 ? "1 + x^2" : "0.5";
        }
        if (cell.input.kind == InputLaw::Kind::Uniform && cell.input.dimension > 1 && choose(2) == 0) {
            for (std::int64_t k = 0; k < cell.input.dimension; ++k) {
                cell.input.lows.push_back(real());
                if (k > 0 && cell.input.lows.back() == cell.input.lows.front())
                    cell.input.lows.back() = static_cast<double>(k);  // else it may be a cube
                cell.input.highs.push_back(above(cell.input.lows.back()));
            }
            if (cell.input.lows[1] == cell.input.lows[0]) cell.input.lows[0] = -1;
            cell.input.low = cell.input.high = std::numeric_limits<double>::quiet_NaN();
        } else if (cell.input.bounded) {
            const bool normal = cell.input.kind == InputLaw::Kind::Normal;
            cell.input.low = normal ? cell.input.mean - cell.input.deviation - std::abs(cell.input.mean) * 1e-3 : real();
            cell.input.high = normal ? cell.input.mean + cell.input.deviation + std::abs(cell.input.mean) * 1e-3 : above(cell.input.low);
        }
        cell.target = "if(x1 < 0.5, 2*x1, 1 - exp(-x1))";
        cell.width = choose(5000);
        activation(cell.activation);
        cell.initialization.kind = any<InitializationRule::Kind>();
        cell.initialization.drawn_bias = choose(2) == 0;
        if (cell.initialization.kind == InitializationRule::Kind::Uniform) {
            cell.initialization.low = real();
            cell.initialization.high = above(cell.initialization.low);
        }
        if (cell.initialization.kind == InitializationRule::Kind::Groups) {
            cell.initialization.drawn_bias = true;
            for (GroupLaw InitializationRule::*group : all_group_laws) cell.initialization.*group = group_law();
        }
        if (cell.initialization.kind == InitializationRule::Kind::Orthogonal)
            cell.initialization.gain = 0.25 + static_cast<double>(choose(9)) / 7;
        if (cell.initialization.kind == InitializationRule::Kind::DataDependent && cell.input.has_table())
            cell.initialization.kind = InitializationRule::Kind::RandomizedAsymmetric;  // it draws no inputs of such a law
        if (cell.initialization.kind == InitializationRule::Kind::DataDependent)
            cell.initialization.spread = static_cast<double>(choose(9)) / 7;
        if (cell.initialization.draws_together() && cell.initialization.kind != InitializationRule::Kind::Orthogonal)
            cell.initialization.drawn_bias = true;  // they have no such choice
        cell.outer_bias = choose(4) != 0;
        if (!cell.outer_bias) cell.initialization.outer_bias = {};
        cell.skip = choose(4) == 0;
        if (!cell.skip) cell.initialization.skip_weight = {};
        constexpr const char* groups[] = {"all", "w", "b", "v", "wb", "wv", "bv"};
        cell.trainable = groups[choose(std::size(groups))];
        if (cell.outer_bias && choose(4) == 0) cell.trainable = choose(2) == 0 ? "vc" : "wbv";
        if (cell.skip && cell.outer_bias && choose(4) == 0) cell.trainable = choose(2) == 0 ? "wbvc" : "bu";
        cell.batch = 1 + choose(1 << 20);
        if (cell.input.bounded && !cell.input.has_table() && choose(2) == 0) {
            cell.nodes_per_axis = 1 + choose(100);
            cell.batch = 1;
            for (int k = 0; k < cell.input.dimension; ++k) cell.batch *= cell.nodes_per_axis;
        }
        if (cell.has_fresh_samples()) noise(cell.noise);
        if (cell.noise.kind == NoiseLaw::Kind::None) loss(cell.loss);
        const bool kinks = cell.nodes_per_axis > 0 && cell.input.dimension == 1 && kernels::is_piecewise_linear(cell.activation.kind) &&
                           cell.has_squared_loss();
        if (kinks && choose(2) == 0) cell.algorithm = kernels::Algorithm::Kinks;
        cell.kinks = cell.nodes_per_axis > 0 && cell.input.dimension == 1 && kernels::traits_of(cell.activation.kind).kink_count == 1 &&
                     choose(2) == 0;
        cell.stop.kinks_crossed = cell.kinks && choose(2) == 0;
        optimizer(cell.optimizer);
        schedule(cell.learning_rate);
        cell.steps = 65536 + choose((std::uint64_t{1} << (cell.learning_rate.searches() ? 38 : 40)) - 65536);  // room for searches
        cell.checks = static_cast<std::int32_t>(1 + choose(65536));
        cell.tail = static_cast<std::int32_t>(1 + choose(static_cast<std::uint64_t>(cell.checks)));
        cell.tolerance = choose(3) == 0 ? static_cast<double>(choose(2)) : fraction();
        cell.evaluation.check_nodes = 4 * (1 + choose(25));
        if (cell.has_final_rule()) cell.evaluation.final_nodes = 4 * (1 + choose(25));
        return cell;
    }

private:
    std::int64_t choose(std::uint64_t options) { return static_cast<std::int64_t>(bits_() % options); }
    template <class Enum>
    Enum any() {
        return static_cast<Enum>(choose(test::enum_count<Enum>()));
    }
    GroupLaw group_law() {
        GroupLaw law;
        law.kind = any<GroupLaw::Kind>();
        constexpr const char* scales[] = {"0.5", "1/sqrt(h)", "h^(-4/15)", "sqrt(2/(d + h))", "1e-05"};
        if (law.kind != GroupLaw::Kind::Zero) law.scale = scales[choose(std::size(scales))];
        if (law.kind == GroupLaw::Kind::Uniform && choose(2) == 0) law = {law.kind, "", "-1", "1 + d"};
        return law;
    }
    /// In [0, 0.98), the decays' range in both precisions.
    double fraction() { return choose(5) == 0 ? 0 : 0.98 * std::ldexp(static_cast<double>(bits_() >> 11), -53); }
    /// Within the normal numbers of float32.
    double positive() {
        constexpr double specials[] = {0.1, 1, 2, 1e-30, 1e30, 1e15, 123456789012345680, 1.1754943508222875e-38};
        if (choose(3) == 0) return specials[choose(std::size(specials))];
        return std::ldexp(1 + std::ldexp(static_cast<double>(bits_() >> 12), -52), static_cast<int>(choose(200)) - 100);
    }
    double real() {
        constexpr double zeros[] = {0.0, -0.0};
        return choose(8) == 0 ? zeros[choose(2)] : (choose(2) == 0 ? 1 : -1) * positive();
    }
    double above(double low) { return low + std::abs(low) * 0.5 + positive(); }
    /// In the range of a parameter.
    template <class Choice>
    double value_of(const kernels::KindParameter<Choice>& parameter) {
        if (parameter.truth != nullptr) return static_cast<double>(choose(2));
        if (parameter.integer != nullptr)
            return parameter.low + static_cast<double>(choose(static_cast<std::uint64_t>(parameter.high - parameter.low) + 1));
        if (parameter.high_open) return fraction();
        if (parameter.low_open) return positive();
        if (parameter.low == 0) return choose(2) == 0 ? 0 : parameter.high < kernels::unlimited ? fraction() : positive();
        return parameter.at_zero != nullptr ? (choose(2) == 0 ? 1 : -1) * positive() : real();
    }
    void activation(kernels::Activation& activation) {
        activation.kind = any<ActivationKind>();
        const kernels::ActivationTraits& traits = kernels::traits_of(activation.kind);
        for (const auto& parameter : traits.parameters)
            if (parameter.name != nullptr) kernels::set(activation, parameter, value_of(parameter));
        if (traits.interval != nullptr) activation.second = above(activation.first);
    }
    void noise(NoiseLaw& noise) {
        using Kind = NoiseLaw::Kind;
        noise.kind = any<Kind>();
        if (noise.kind == Kind::Normal || noise.kind == Kind::Exponential) noise.deviation = positive();
        if (noise.kind == Kind::Normal && choose(3) == 0) noise.deviation = 1, noise.factor = "0.1*(1 + abs(x1))";
        if (noise.kind == Kind::Uniform || noise.kind == Kind::TwoPoint) noise.low = real(), noise.high = above(noise.low);
        if (noise.kind == Kind::TwoPoint) noise.probability = choose(4) == 0 ? 0.5 : 0.01 + fraction();
    }
    void loss(kernels::Loss& loss) {
        loss.kind = any<kernels::LossKind>();
        if (loss.kind == kernels::LossKind::Huber) loss.parameter = positive();
        if (loss.kind == kernels::LossKind::Power) loss.parameter = 2.5 + 13 * fraction();
    }
    void optimizer(kernels::Optimizer& optimizer) {
        optimizer.kind = any<OptimizerKind>();
        for (const auto& parameter : kernels::traits_of(optimizer.kind).parameters)
            if (parameter.name != nullptr) kernels::set(optimizer, parameter, value_of(parameter));
        for (const auto& parameter : kernels::common_optimizer_parameters) kernels::set(optimizer, parameter, value_of(parameter));
        if (optimizer.weight_decay == 0) optimizer.decoupled = false;
    }
    void schedule(kernels::LearningRate& rate) {
        using Kind = kernels::ScheduleKind;
        const auto count = [&] { return 1 + choose(1 << 30); };
        rate = {positive(), 0};
        rate.kind = any<Kind>();
        if (rate.kind == Kind::Polynomial) rate.power = choose(2) == 0 ? 0 : 16 * fraction();
        if (choose(2) == 0) rate.warmup = count();
        if (rate.warmup > 0 && choose(2) == 0) rate.warmup_start = fraction();
        if (rate.is_adaptive()) {
            rate.factor = 0.25 + fraction() / 2, rate.every = 1 + choose(65536), rate.threshold = fraction() / 2;
            if (choose(2) == 0) rate.last = rate.initial;
            if (rate.searches()) rate.rates = 3 + 2 * choose(7), rate.search_steps = 1 + choose(1000000);
            return;
        }
        if (rate.kind != Kind::Polynomial) rate.from_one = choose(2) == 0;
        if (rate.kind == Kind::Step || rate.kind == Kind::Exponential || rate.kind == Kind::InverseTime) rate.factor = positive();
        if (rate.kind != Kind::Polynomial && rate.kind != Kind::Piecewise) rate.every = count();
        if (rate.kind == Kind::Cosine && choose(2) == 0) rate.last = positive();
        if (rate.kind == Kind::Piecewise && choose(3) != 0) {
            rate.from_1 = count(), rate.rate_1 = positive();
            if (choose(2) == 0) rate.from_2 = rate.from_1 + count(), rate.rate_2 = positive();
            if (rate.from_2 > 0 && choose(2) == 0) rate.from_3 = rate.from_2 + count(), rate.rate_3 = positive();
        }
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
    EXPECT_EQ(a.input.lows, b.input.lows);
    EXPECT_EQ(a.input.highs, b.input.highs);
    EXPECT_EQ(a.input.density, b.input.density);
    EXPECT_EQ(a.noise.factor, b.noise.factor);
    for (const auto member :
         {&InputLaw::low, &InputLaw::high, &InputLaw::mean, &InputLaw::deviation, &InputLaw::radius, &InputLaw::a, &InputLaw::b})
        EXPECT_EQ(bits(a.input.*member), bits(b.input.*member));
    EXPECT_EQ(a.target, b.target);
    EXPECT_EQ(a.noise.kind, b.noise.kind);
    EXPECT_EQ(a.loss.kind, b.loss.kind);
    EXPECT_EQ(bits(a.loss.parameter), bits(b.loss.parameter));
    for (const auto member : {&NoiseLaw::deviation, &NoiseLaw::low, &NoiseLaw::high, &NoiseLaw::probability})
        EXPECT_EQ(bits(a.noise.*member), bits(b.noise.*member));
    EXPECT_EQ(a.width, b.width);
    EXPECT_EQ(a.activation.kind, b.activation.kind);
    EXPECT_EQ(bits(a.activation.first), bits(b.activation.first));
    EXPECT_EQ(bits(a.activation.second), bits(b.activation.second));
    EXPECT_EQ(a.activation.power, b.activation.power);
    EXPECT_EQ(a.initialization.kind, b.initialization.kind);
    EXPECT_EQ(a.initialization.drawn_bias, b.initialization.drawn_bias);
    EXPECT_EQ(bits(a.initialization.low), bits(b.initialization.low));
    EXPECT_EQ(bits(a.initialization.high), bits(b.initialization.high));
    EXPECT_EQ(bits(a.initialization.gain), bits(b.initialization.gain));
    EXPECT_EQ(bits(a.initialization.spread), bits(b.initialization.spread));
    for (GroupLaw InitializationRule::*group : all_group_laws) {
        const GroupLaw &one = a.initialization.*group, &other = b.initialization.*group;
        EXPECT_EQ(one.kind, other.kind);
        EXPECT_EQ(one.scale + ";" + one.low + ";" + one.high, other.scale + ";" + other.low + ";" + other.high);
    }
    EXPECT_EQ(a.outer_bias, b.outer_bias);
    EXPECT_EQ(a.skip, b.skip);
    EXPECT_EQ(a.kinks, b.kinks);
    EXPECT_EQ(a.stop.kinks_crossed, b.stop.kinks_crossed);
    EXPECT_EQ(a.trainable, b.trainable);
    EXPECT_EQ(a.batch, b.batch);
    EXPECT_EQ(a.nodes_per_axis, b.nodes_per_axis);
    EXPECT_EQ(a.optimizer.kind, b.optimizer.kind);
    EXPECT_EQ(bits(a.optimizer.alpha), bits(b.optimizer.alpha));
    EXPECT_EQ(bits(a.optimizer.beta), bits(b.optimizer.beta));
    EXPECT_EQ(bits(a.optimizer.epsilon), bits(b.optimizer.epsilon));
    EXPECT_EQ(a.optimizer.epsilon_inside, b.optimizer.epsilon_inside);
    EXPECT_EQ(a.optimizer.bias_correction, b.optimizer.bias_correction);
    for (const auto member :
         {&kernels::Optimizer::sum, &kernels::Optimizer::corrected_maximum, &kernels::Optimizer::centered, &kernels::Optimizer::decoupled})
        EXPECT_EQ(a.optimizer.*member, b.optimizer.*member);
    for (const auto member : {&kernels::Optimizer::initial_sum, &kernels::Optimizer::momentum_decay, &kernels::Optimizer::weight_decay})
        EXPECT_EQ(bits(a.optimizer.*member), bits(b.optimizer.*member));
    using Rate = kernels::LearningRate;
    EXPECT_EQ(a.learning_rate.kind, b.learning_rate.kind);
    EXPECT_EQ(a.learning_rate.from_one, b.learning_rate.from_one);
    for (const auto member :
         {&Rate::factor, &Rate::last, &Rate::warmup_start, &Rate::rate_1, &Rate::rate_2, &Rate::rate_3, &Rate::threshold})
        EXPECT_EQ(bits(a.learning_rate.*member), bits(b.learning_rate.*member));
    for (const auto member : {&Rate::rates, &Rate::search_steps}) EXPECT_EQ(a.learning_rate.*member, b.learning_rate.*member);
    for (const auto member : {&Rate::every, &Rate::warmup, &Rate::from_1, &Rate::from_2, &Rate::from_3})
        EXPECT_EQ(a.learning_rate.*member, b.learning_rate.*member);
    EXPECT_EQ(bits(a.learning_rate.initial), bits(b.learning_rate.initial));
    EXPECT_EQ(a.learning_rate.power, b.learning_rate.power);  // -0 and 0 are both constant
    EXPECT_EQ(a.algorithm, b.algorithm);
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
    cell.optimizer = {OptimizerKind::Adam, 0.9, 0.999, 1e-8, false, true};
    cell.evaluation.check_nodes = 256;
    const std::string expected =
        R"({"evaluation":{"nodes":256},"network":{"activation":{"name":"relu"},"initialization":{"bias":"drawn","name":"pytorch"},"width":1},)"
        R"("precision":"float32","problem":{"input":{"dimension":1,"high":1.0,"law":"uniform","low":0.0},"target":"x1"},"seed":1,"steps":1000,)"
        R"("tracking":{"checks":64,"tail":16,"tolerance":0.001},"training":{"batch":32,"optimizer":{"alpha":0.9,"beta":0.999,"epsilon":1e-08,)"
        R"("learning_rate":0.01,"name":"adam"},"sampling":"fresh"}})";
    EXPECT_EQ(describe(cell), expected);
    EXPECT_EQ(cell_id(expected), "83143192896908a20aac8688816508f1") << "as the Python package xxhash computes it";
    EXPECT_EQ(cell_id("").size(), 32u);
    cell.activation.first = 7;        // a relu has no slope
    cell.evaluation.final_nodes = 7;  // in one dimension there is no final rule
    EXPECT_EQ(describe(cell), expected);
    cell.tolerance = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(describe(cell), Defect);
}

/// A key that came later: cells of before keep their descriptions, and so their ids.
TEST(CellDescription, SaysTheAlgorithmIfItIsNotThePlainOne) {
    CellConfig cell;
    cell.nodes_per_axis = cell.batch = 8;
    cell.evaluation.check_nodes = 64;
    EXPECT_EQ(describe(cell).find("algorithm"), std::string::npos);
    const std::string plain = describe(cell);
    cell.algorithm = kernels::Algorithm::Kinks;
    nlohmann::json expected = nlohmann::json::parse(plain);
    expected["training"]["algorithm"] = "kinks";
    EXPECT_EQ(describe(cell), expected.dump());
    EXPECT_EQ(cell_from_description(expected.dump()).algorithm, kernels::Algorithm::Kinks);
    EXPECT_EQ(cell_from_description(plain).algorithm, kernels::Algorithm::Plain);
    expected["training"]["algorithm"] = "plain";
    EXPECT_THROW(cell_from_description(expected.dump()), StoreError) << "not canonical";
    expected["training"]["algorithm"] = "kinks";
    expected["network"]["activation"]["name"] = "tanh";
    EXPECT_THROW(cell_from_description(expected.dump()), StoreError) << "no cell of a campaign";
}

/// So cells of stores from before keep their ids and their sums.
TEST(CellDescription, SaysThatSumsAreInBlocksWhereThereIsMoreThanOne) {
    CellConfig cell;
    cell.evaluation.check_nodes = 64;
    cell.batch = 65;
    nlohmann::json expected = nlohmann::json::parse(describe(cell));
    EXPECT_EQ(expected["training"]["sums"], "blocks");
    EXPECT_TRUE(cell_from_description(expected.dump()).has_block_sums());
    expected["training"].erase("sums");
    const CellConfig before = cell_from_description(expected.dump());
    EXPECT_FALSE(before.has_block_sums());
    EXPECT_EQ(describe(before), expected.dump());
    cell.precision = kernels::Precision::Float64;
    EXPECT_EQ(describe(cell).find("sums"), std::string::npos) << "one block";
    cell.precision = kernels::Precision::Float32;
    cell.batch = 64;
    EXPECT_EQ(describe(cell).find("sums"), std::string::npos) << "one block";
}

CellConfig right_cell() {
    CellConfig cell;
    cell.learning_rate.power = 0.5;
    cell.evaluation.check_nodes = 64;
    return cell;
}

TEST(CellDescription, EveryMutilationIsRefused) {
    const nlohmann::json whole = nlohmann::json::parse(describe(right_cell()));
    ASSERT_NO_THROW(cell_from_description(whole.dump()));
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

std::string refusal(const std::string& description) {
    try {
        cell_from_description(description);
    } catch (const StoreError& error) {
        EXPECT_EQ(error.code(), ExitCode::Data);
        return error.what();
    }
    return "accepted";
}

/// Nobody needs to trust the sizes in a store: what no campaign can have is refused before anything is allocated.
TEST(CellDescription, ValuesThatNoCampaignHasAreRefused) {
    const nlohmann::json whole = nlohmann::json::parse(describe(right_cell()));
    struct Forgery {
        const char* place;
        nlohmann::json value;
        const char* message;
    };
    const Forgery forgeries[] = {
        {"/network/width", 1'000'000'000'000, "key `network.width`: 1000000000000; allowed is an integer, 0 to 65536"},
        {"/network/width", -1, "key `network.width`"},
        {"/problem/input/dimension", 100'000, "key `problem.input.dimension`: 100000; allowed is an integer, 1 to 256"},
        {"/training/batch", 1'000'000'000, "key `training.batch`"},
        {"/training/sampling", {{"nodes", 2'000'000}}, "key `training.sampling.nodes`"},
        {"/training/optimizer/learning_rate/initial", -0.5, "greater than 0"},
        {"/training/optimizer/learning_rate/initial", 1e-300, "key `training.optimizer`"},
        {"/training/optimizer/learning_rate/power", 17.0, "0 to 16"},
        {"/training/optimizer/name", "sdg", "did you mean `sgd`?"},
        {"/steps", 18446744073709551615ULL, "key `steps`"},
        {"/tracking/checks", 2000, "2000 checks in 1000 steps"},
        {"/tracking/tail", 65, "65 of 64 checks"},
        {"/evaluation/nodes", 1'000'000'000, "key `evaluation.nodes`"},
        {"/evaluation/nodes", 63, "multiples of 4"},
        {"/problem/input/high", 0.0, "is empty"},
        {"/problem/target", "x2", "no variable `x2`"},
        {"/network/width", {1, 2}, "a list; a cell has one value"},
    };
    for (const Forgery& forgery : forgeries) {
        nlohmann::json forged = whole;
        forged[nlohmann::json::json_pointer(forgery.place)] = forgery.value;
        EXPECT_THAT(refusal(forged.dump()), ::testing::HasSubstr(forgery.message)) << forgery.place << " = " << forgery.value;
    }
    nlohmann::json two_keys = whole;
    two_keys["problem"]["input"]["dimension"] = 256;
    two_keys["network"]["width"] = 65536;
    EXPECT_THAT(refusal(two_keys.dump()), ::testing::HasSubstr("width * (dimension + 2)"));
    nlohmann::json missing = whole;
    missing["network"].erase("width");
    EXPECT_THAT(refusal(missing.dump()), ::testing::HasSubstr("network.width: 1 here, nothing in the store"));
    const std::string deep = std::string(1'000'000, '[');
    EXPECT_THAT(refusal(deep), ::testing::HasSubstr("more brackets"));
    EXPECT_THAT(refusal("{\"seed\":1,\"z\":\"" + std::string(1'000'000, ']') + "\",\"a\":" + deep), ::testing::HasSubstr("more brackets"));
    EXPECT_THAT(refusal("{\"seed\":1,\"a\":" + deep), ::testing::HasSubstr("more brackets"));
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
    cell.optimizer = {OptimizerKind::Adam, 0.9, 0.99, 1e-8, false, true};
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

TEST(CellDescription, LabelsLeaveOutDefaultsOfOptimizers) {
    const auto label = [](const kernels::Optimizer& optimizer, const kernels::LearningRate& rate) {
        CellConfig cell;
        cell.optimizer = optimizer;
        cell.learning_rate = rate;
        fill_labels(cell);
        return cell.optimizer_label;
    };
    EXPECT_EQ(label({OptimizerKind::Rmsprop, 0, 0.99, 1e-8, false, true}, {0.01, 0}), "rmsprop(0.01)");
    EXPECT_EQ(label({OptimizerKind::Rmsprop, 0, 0.9, 1e-8, false, false}, {0.01, 0}), "rmsprop(0.01, beta=0.9, no bias correction)");
    EXPECT_EQ(label({OptimizerKind::Adagrad, 0, 0, 1e-10, false, false}, {0.01, 0}), "adagrad(0.01)");
    EXPECT_EQ(label({OptimizerKind::Adagrad, 0, 0, 1e-6, true, false}, {0.01, 0}), "adagrad(0.01, epsilon=1e-06, epsilon inside)");
    EXPECT_EQ(label({OptimizerKind::Adadelta, 0, 0.95, 1e-6, false, false}, {1, 0}), "adadelta(1, rho=0.95)");
    EXPECT_EQ(label({OptimizerKind::Adam, 0.5, 0.999, 1e-8, false, true}, {0.01, 0}), "adam(0.01, alpha=0.5)");
    EXPECT_EQ(label({OptimizerKind::Momentum, 0.9, 0, 0, false, false}, {0.01, 0}), "momentum(0.01)");
    EXPECT_EQ(label({OptimizerKind::Sgd, 0, 0, 0, false, false}, {0.05, 0.5}), "sgd(0.05 n^-0.5)");
}

TEST(CellDescription, LabelsShowParametersOfTheOtherChoices) {
    CellConfig cell;
    cell.activation = {ActivationKind::Clipping, 0, 1, 0};
    cell.initialization = {InitializationRule::Kind::Uniform, false, -1, 0.5};
    cell.input = {InputLaw::Kind::Normal, 2, true, -1, 1, 0, 0.5};
    fill_labels(cell);
    EXPECT_EQ(cell.activation_label, "clipping(0, 1)");
    EXPECT_EQ(cell.initialization_label, "uniform(-1, 0.5), zero bias");
    EXPECT_EQ(cell.input_label, "normal(0, 0.5)^2 on [-1, 1]^2");
    cell.activation = {ActivationKind::PowerRelu, 0, 0, 3};
    cell.input = {InputLaw::Kind::Uniform, 3, true, -1, 1, 0, 1};
    fill_labels(cell);
    EXPECT_EQ(cell.activation_label, "power_relu(3)");
    EXPECT_EQ(cell.input_label, "uniform on [-1, 1]^3");
}

}  // namespace
}  // namespace limrisk
