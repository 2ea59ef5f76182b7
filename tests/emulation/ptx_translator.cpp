// One pass over the tokens: a statement of PTX becomes a statement of C++ on variables that hold the bits of registers.
#include "ptx_translator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "limrisk/error.hpp"
#include "ptx_rules.hpp"

namespace limrisk::test {
namespace {

using ptx::is_word, ptx::Rule, ptx::rule_of, ptx::split, ptx::Token, ptx::Type, ptx::type_of;

[[noreturn]] void refuse(int line, const std::string& what) {
    throw Defect(fmt::format("PTX line {}: the emulated device does not know \"{}\"", line, what));
}

/// One operand of an instruction: its tokens, or, of a vector {a, b, ...}, those of its elements.
struct Operand {
    std::vector<Token> tokens;
    std::vector<Operand> elements;
    std::string_view text() const { return tokens.empty() ? std::string_view() : tokens[0].text; }
};

class Translator {
public:
    explicit Translator(std::string_view ptx) : tokens_(ptx::tokens_of(ptx)) {}

    std::string program() {
        while (place_ < tokens_.size()) module_statement();
        return "#include \"ptx_instructions.hpp\"\n" + variables_ + kernels_;
    }

private:
    // Tokens.

    const Token& peek(std::size_t ahead = 0) const {
        if (place_ + ahead >= tokens_.size()) refuse(tokens_.empty() ? 1 : tokens_.back().line, "the end of the text");
        return tokens_[place_ + ahead];
    }
    Token next() {
        const Token token = peek();
        ++place_;
        return token;
    }
    bool accept(std::string_view text) {
        if (peek().text != text) return false;
        ++place_;
        return true;
    }
    void expect(std::string_view text) {
        if (!accept(text)) refuse(peek().line, std::string(peek().text));
    }
    int number() {
        const Token token = next();
        int value = 0;
        for (const char c : token.text) {
            if (std::isdigit(static_cast<unsigned char>(c)) == 0 || value > 99999999) refuse(token.line, std::string(token.text));
            value = 10 * value + (c - '0');
        }
        return value;
    }
    /// The tokens before the next semicolon, which is read as well.
    std::vector<Token> rest_of_statement() {
        std::vector<Token> rest;
        while (peek().text != ";") rest.push_back(next());
        ++place_;
        return rest;
    }

    // A module: directives, variables, kernels.

    void module_statement() {
        const Token token = next();
        if (token.text == ".version" || token.text == ".target" || token.text == ".address_size") {
            ++place_;
        } else if (token.text == ".visible") {
            expect(".entry");
            kernel();
        } else if (token.text == ".extern") {
            expect(".shared");
            const std::vector<Token> words = rest_of_statement();  // .align 16 .b8 name[]
            if (words.size() != 6 || words[5].text != "]") refuse(token.line, "a shared variable other than the dynamic one");
            shared_ = words[3].text;
        } else if (token.text == ".global") {
            const std::vector<Token> words = rest_of_statement();  // .align 8 .b8 name[48] = {...}
            if (words.size() < 4 || words[0].text != ".align") refuse(token.line, ".global without .align");
            globals_[words[3].text] = words;
        } else {
            refuse(token.line, std::string(token.text));
        }
    }

    /// The address of a variable in global memory, which becomes part of the program when it is first named.
    std::string address_of_global(const std::vector<Token>& words) {
        const std::string name = fmt::format("global_{}", words[3].text);
        if (!written_globals_[words[3].text]) {
            written_globals_[words[3].text] = true;
            std::size_t i = 4;
            while (i < words.size() && words[i].text != "=") ++i;
            const auto type = type_of(words[2].text.substr(1));
            if (i + 1 >= words.size() || !type) refuse(words[3].line, std::string(words[3].text));
            std::string values;
            for (++i; i < words.size(); ++i) {
                if (words[i].text == "generic") refuse(words[i].line, "generic() in an initializer");
                if (words[i].text == "{" || words[i].text == "}") continue;
                const bool is_real = words[i].text.starts_with("0f") || words[i].text.starts_with("0d");
                values += is_real ? fmt::format("0x{}", words[i].text.substr(2)) : std::string(words[i].text);
            }
            variables_ +=
                fmt::format("alignas({}) static limrisk::emulation::u{} {}[] = {{{}}};\n", words[1].text, type->bits, name, values);
        }
        return fmt::format("((u64){})", name);
    }

    void kernel() {
        const Token name = next();
        expect("(");
        expect(".param");
        expect(".align");
        const int alignment = number();
        expect(".b8");
        parameter_ = next().text;
        expect("[");
        parameter_bytes_ = number();
        expect("]");
        expect(")");
        int threads = 1024;
        while (!accept("{")) {
            const Token directive = next();
            if (directive.text == ".maxntid")
                threads = number();
            else if (directive.text == ".minnctapersm")
                number();
            else if (directive.text != "," && directive.text != "1")
                refuse(directive.line, std::string(directive.text));
        }
        kernels_ += fmt::format(
            "struct alignas({}) {}_arguments {{ unsigned char bytes[{}]; }};\n"
            "LIMRISK_KERNEL({}, {}_arguments, {}) {{\n"
            "using namespace limrisk::emulation;\n"
            "const u64 parameter = (u64)arguments.bytes, shared = (u64)limrisk_dynamic_shared;\n",
            alignment, name.text, parameter_bytes_, name.text, name.text, threads);
        local_ = {};
        local_bytes_ = 0;
        registers_.clear();
        for (int depth = 1; depth > 0;) {
            if (accept("{")) {
                ++depth;
                kernels_ += "{\n";
            } else if (accept("}")) {
                --depth;
                kernels_ += "}\n";
            } else if (peek(1).text == ":") {
                kernels_ += fmt::format("label_{}:;\n", next().text);
                ++place_;
            } else {
                statement();
            }
        }
    }

    // Statements of a kernel.

    void statement() {
        line_ = peek().line;
        if (accept(".pragma")) {
            rest_of_statement();
        } else if (accept(".reg")) {
            declare_registers();
        } else if (accept(".local")) {
            const std::vector<Token> words = rest_of_statement();  // .align 8 .b8 name[32]
            if (words.size() != 7 || !local_.empty()) refuse(line_, "a second variable in local memory");
            local_ = words[3].text;
            local_bytes_ = std::stoi(std::string(words[5].text));
            emit(
                "alignas({}) unsigned char local_memory[{}];\n__builtin_memset(local_memory, 0xFF, {});\nconst u64 local = "
                "(u64)local_memory;",
                words[1].text, local_bytes_, local_bytes_);
        } else {
            std::string guard;
            if (accept("@")) {
                const bool negated = accept("!");
                guard = fmt::format("if ({}{}) ", negated ? "!" : "", variable(next()));
            }
            opcode_ = next();
            const std::vector<Operand> operands = read_operands();
            kernels_ += guard.empty() ? "" : guard + "{\n";
            instruction(operands);
            kernels_ += guard.empty() ? "" : "}\n";
        }
    }

    /// .reg .b32 %r<7>; or .reg .b32 %temp;
    void declare_registers() {
        const auto type = type_of(next().text.substr(1));
        if (!type) unknown();
        const int width = type->bits;
        const std::string prefix(next().text);
        std::vector<std::string> names;
        if (accept("<")) {
            const int count = number();
            for (int i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", prefix, i));
            expect(">");
        } else {
            names.push_back(prefix);
        }
        expect(";");
        std::string list;
        for (const std::string& name : names) {
            registers_[name] = width;
            list += fmt::format("{}{}", list.empty() ? "" : ", ", variable({name, line_}));
        }
        if (!names.empty()) emit("{} {};", width == 1 ? "bool" : fmt::format("u{}", width), list);
    }

    std::vector<Operand> read_operands() {
        std::vector<Operand> operands;
        while (!accept(";")) {
            Operand operand;
            if (accept("{")) {
                do {
                    Operand element;
                    while (peek().text != "," && peek().text != "}") element.tokens.push_back(next());
                    operand.elements.push_back(std::move(element));
                } while (accept(","));
                expect("}");
            } else {
                while (peek().text != "," && peek().text != ";") operand.tokens.push_back(next());
            }
            operands.push_back(std::move(operand));
            if (peek().text != ";") expect(",");
        }
        return operands;
    }

    void instruction(const std::vector<Operand>& operands) {
        const std::vector<std::string_view> parts = split(opcode_.text, '.');
        if (const auto vector = vector_move(parts, operands); vector) return;
        if (const auto rule = rule_of(opcode_.text)) return apply(*rule->first, rule->second, operands);
        if (parts[0] == "cvt") return convert(parts, operands);
        if (parts[0] == "cvta") return convert_address(parts, operands);
        if (parts[0] == "ld" || parts[0] == "st") return access(parts, operands);
        if (opcode_.text == "bra" || opcode_.text == "bra.uni") return emit("goto label_{};", operands.at(0).text());
        if (opcode_.text == "ret") return emit("return;");
        if (parts[0] == "shfl" && parts.size() == 4 && parts[1] == "sync" && parts[3] == "b32") return shuffle(parts[2], operands);
        if (opcode_.text == "bar.warp.sync")
            return emit("emulator->meet(Meeting::WarpBarrier, {}, 0, 32, 0);", value(operands.at(0), *type_of("u32")));
        if (opcode_.text == "bar.sync" && operands.at(0).text() == "0") return emit("__syncthreads();");
        unknown();
    }

    void apply(const Rule& rule, const Type& type, const std::vector<Operand>& operands) {
        const auto kind = [&](char letter) -> Type {
            switch (letter) {
                case 'T':
                    return type;
                case 'W':
                    return wide(type);
                case 'u':
                    return *type_of("u32");
                default:
                    return *type_of("pred");
            }
        };
        if (operands.size() != rule.sources.size() + 1) unknown();
        std::vector<std::string> sources;
        for (std::size_t i = 0; i < rule.sources.size(); ++i) sources.push_back(value(operands[i + 1], kind(rule.sources[i])));
        std::string expression;
        for (std::size_t i = 0; i < rule.expression.size(); ++i) {
            const char c = rule.expression[i];
            const bool alone =
                (i == 0 || !is_word(rule.expression[i - 1])) && (i + 1 == rule.expression.size() || !is_word(rule.expression[i + 1]));
            if (alone && c >= 'a' && c <= 'd')
                expression += sources.at(static_cast<std::size_t>(c - 'a'));
            else if (alone && c == 'T')
                expression += type.name;
            else if (alone && c == 'W')
                expression += wide(type).name;
            else
                expression += c;
        }
        assign(operands[0], kind(rule.result), expression);
    }

    /// mov.b64 {%r1, %r2}, %rd1 and mov.b64 %rd1, {%r1, %r2}: the first element holds the lowest bits.
    bool vector_move(const std::vector<std::string_view>& parts, const std::vector<Operand>& operands) {
        if (parts[0] != "mov" || operands.size() != 2 || operands[0].elements.size() + operands[1].elements.size() == 0) return false;
        const auto type = parts.size() == 2 ? type_of(parts[1]) : std::nullopt;
        const auto& elements = operands[0].elements.empty() ? operands[1].elements : operands[0].elements;
        if (!type) unknown();
        const int part = type->bits / static_cast<int>(elements.size());
        const Type part_type = *type_of(fmt::format("b{}", part));
        if (operands[0].elements.empty()) {
            std::string sum;
            for (std::size_t i = 0; i < elements.size(); ++i)
                sum += fmt::format("{}(u64){} << {}", i == 0 ? "" : " | ", value(elements[i], part_type), part * static_cast<int>(i));
            assign(operands[0], *type, sum);
        } else {
            emit("{{ const u64 whole = {};", value(operands[1], *type));
            for (std::size_t i = 0; i < elements.size(); ++i)
                assign(elements[i], part_type, fmt::format("whole >> {}", part * static_cast<int>(i)));
            emit("}}");
        }
        return true;
    }

    /// cvt: among integers, to the nearest float, to an integer toward zero, and from f32 to f64 exactly.
    void convert(const std::vector<std::string_view>& parts, const std::vector<Operand>& operands) {
        if (parts.size() < 3 || operands.size() != 2) unknown();
        const auto to = type_of(parts[parts.size() - 2]), from = type_of(parts.back());
        if (!to || !from || to->bits == 1 || from->bits == 1) unknown();
        const std::string_view rounding = parts.size() == 4 ? parts[1] : "";
        const std::string source = value(operands[1], *from);
        const bool exact = to->is_float() && from->is_float() && to->bits > from->bits;
        if (parts.size() > 4 || to->name == from->name) unknown();
        if (rounding.empty() && ((!to->is_float() && !from->is_float()) || exact))
            return assign(operands[0], *to, exact ? fmt::format("number((f64){})", source) : source);
        if (rounding == "rn" && to->is_float() && !exact) return assign(operands[0], *to, fmt::format("number(({}){})", to->name, source));
        if (rounding == "rzi" && !to->is_float() && from->is_float() && to->bits >= 32 && to->name[0] == 's')
            return assign(operands[0], *to, fmt::format("truncated<{}>({})", to->name, source));
        unknown();
    }

    /// Generic addresses are those of the host; global ones and the parameter's are the same, others count from their window's begin.
    void convert_address(const std::vector<std::string_view>& parts, const std::vector<Operand>& operands) {
        const bool to_window = parts.size() == 4 && parts[1] == "to";
        if ((parts.size() != 3 && !to_window) || parts.back() != "u64" || operands.size() != 2) unknown();
        const std::string_view space = parts[to_window ? 2 : 1];
        if (space != "global" && space != "local" && space != "shared" && space != "param") unknown();
        const std::string window = space == "local" || space == "shared" ? fmt::format(" {} {}", to_window ? "-" : "+", space) : "";
        assign(operands[0], *type_of("u64"), value(operands[1], *type_of("u64")) + window);
    }

    /// ld and st, with or without a state space, of 1, 2 or 4 values.
    void access(const std::vector<std::string_view>& parts, const std::vector<Operand>& operands) {
        const bool loads = parts[0] == "ld";
        std::size_t i = 1;
        std::string_view space = "generic";
        for (const std::string_view known : {"global", "shared", "local", "param"})
            if (i < parts.size() && parts[i] == known) space = parts[i++];
        if (loads && space == "global" && i < parts.size() && parts[i] == "nc") ++i;
        std::size_t count = 1;
        if (i < parts.size() && (parts[i] == "v2" || parts[i] == "v4")) count = parts[i++] == "v2" ? 2 : 4;
        const auto type = i + 1 == parts.size() ? type_of(parts[i]) : std::nullopt;
        if (!type || type->bits == 1 || operands.size() != 2 || (!loads && space == "param")) unknown();
        const Operand &memory = operands[loads ? 1 : 0], &other = operands[loads ? 0 : 1];
        if ((count == 1) != other.elements.empty() || (count > 1 && other.elements.size() != count)) unknown();
        const std::string address = address_of(memory);
        const int bytes = type->bits / 8 * static_cast<int>(count);
        std::string place;
        if (space == "shared")
            place = fmt::format("in_window(shared, dynamic_shared_bytes, {}, {}, {})", address, bytes, line_);
        else if (space == "local")
            place = fmt::format("in_window(local, {}, {}, {}, {})", local_bytes_, address, bytes, line_);
        else if (space == "param")
            place = fmt::format("in_window(parameter, {}, {} - parameter, {}, {})", parameter_bytes_, address, bytes, line_);
        else
            place = fmt::format("aligned({}, {}, {})", address, bytes, line_);
        emit("{{ auto* place = ({}*){};", type->name, place);
        for (std::size_t k = 0; k < count; ++k) {
            const Operand& one = count == 1 ? other : other.elements[k];
            if (loads)
                assign(one, *type, fmt::format("place[{}]", k));
            else
                emit("place[{}] = {};", k, value(one, *type, true));
        }
        emit("}}");
    }

    /// [%rd1], [%rd1+8], [%rd1+-8], [name+8]
    std::string address_of(const Operand& operand) {
        const std::vector<Token>& words = operand.tokens;
        if (words.size() < 3 || words.front().text != "[" || words.back().text != "]") unknown();
        std::string sum = value({{words[1]}, {}}, *type_of("u64"), true);
        for (std::size_t i = 2; i + 1 < words.size(); ++i) sum += fmt::format(" {}", words[i].text);
        return fmt::format("({})", sum);
    }

    void shuffle(std::string_view mode, const std::vector<Operand>& operands) {
        static const std::map<std::string_view, std::string_view> meetings{
            {"idx", "ShuffleFrom"}, {"bfly", "ShuffleXor"}, {"up", "ShuffleUp"}, {"down", "ShuffleDown"}};
        if (operands.size() != 5 || !meetings.contains(mode)) unknown();
        const Type word = *type_of("b32");
        emit("{{ const Shuffled shuffled = shuffle(Meeting::{}, {}, {}, {}, {});", meetings.at(mode), value(operands[1], word),
             value(operands[2], word), value(operands[3], word), value(operands[4], word));
        const std::vector<Token>& target = operands[0].tokens;  // %r1 or %r1|%p1
        assign({{target.at(0)}, {}}, word, "shuffled.value");
        if (target.size() == 3) assign({{target[2]}, {}}, *type_of("pred"), "shuffled.in_range");
        emit("}}");
    }

    // Operands.

    static Type wide(const Type& type) {
        return type.bits > 32 || type.is_float() ? type : *type_of(fmt::format("{}{}", type.name[0], 2 * type.bits));
    }

    std::string variable(const Token& token) const { return fmt::format("_{}", token.text.substr(token.text.starts_with('%') ? 1 : 0)); }

    int width_of(const Token& token) const {
        const auto found = registers_.find(token.text);
        if (found == registers_.end()) refuse(token.line, std::string(token.text));
        return found->second;
    }

    static std::string of_bits(const Type& type, const std::string& register_bits) {
        return type.is_float() ? fmt::format("__builtin_bit_cast({}, {})", type.name, register_bits)
                               : fmt::format("({}){}", type.name, register_bits);
    }

    /// An operand as a value of the type; `any_width`: of a register that may be wider or narrower.
    std::string value(const Operand& operand, const Type& type, bool any_width = false) {
        const std::vector<Token>& words = operand.tokens;
        const bool negative = words.size() == 2 && words[0].text == "-";
        if (words.empty() || (words.size() > 1 && !negative)) unknown();
        const std::string_view text = words.back().text;
        if (const char c = text[0]; c >= '0' && c <= '9') {
            if (text.starts_with("0f") || text.starts_with("0d")) {
                const std::string literal = fmt::format("({})0x{}", text[1] == 'f' ? "u32" : "u64", text.substr(2));
                return of_bits(type, literal);
            }
            if (type.is_float()) unknown();
            const std::string_view digits = text.substr(0, text.find('U'));
            return fmt::format("({}){}{}ull", type.name, negative ? "-" : "", digits);
        }
        if (registers_.contains(text)) {
            const int width = width_of(words.back());
            if (negative || (width == 1) != (type.bits == 1)) unknown();
            if (width != type.bits && (type.is_float() || !(any_width || opcode_.text.starts_with("cvt.")))) unknown();
            if (type.bits == 1) return variable(words.back());
            return of_bits(type, variable(words.back()));
        }
        return fmt::format("({}){}", type.name, special(words.back()));
    }

    std::string special(const Token& token) {
        static const std::map<std::string_view, std::string_view> known{{"%tid.x", "threadIdx.x"},         {"%ntid.x", "blockDim.x"},
                                                                        {"%ctaid.x", "blockIdx.x"},        {"%nctaid.x", "gridDim.x"},
                                                                        {"%laneid", "(threadIdx.x & 31)"}, {"WARP_SZ", "32"}};
        if (const auto found = known.find(token.text); found != known.end()) return std::string(found->second);
        if (token.text == parameter_) return "parameter";
        if (token.text == shared_ || token.text == local_) return "0";
        if (const auto found = globals_.find(token.text); found != globals_.end()) return address_of_global(found->second);
        refuse(token.line, std::string(token.text));
    }

    /// Integers narrower than the register are extended by their own sign.
    void assign(const Operand& target, const Type& type, const std::string& expression) {
        if (target.text() == "_") return;
        if (target.tokens.size() != 1) unknown();
        const int width = width_of(target.tokens[0]);
        if ((width == 1) != (type.bits == 1) || width < type.bits || (type.is_float() && width != type.bits)) unknown();
        const std::string name = variable(target.tokens[0]);
        if (type.is_float())
            emit("{} = __builtin_bit_cast(u{}, ({})({}));", name, width, type.name, expression);
        else
            emit("{} = ({})({});", name, type.name, expression);
    }

    template <class... Arguments>
    void emit(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(kernels_), format, std::forward<Arguments>(arguments)...);
        kernels_ += '\n';
    }

    [[noreturn]] void unknown() const { refuse(line_, std::string(opcode_.text)); }

    const std::vector<Token> tokens_;
    std::size_t place_ = 0;
    std::string variables_, kernels_;  // of the program
    std::string_view shared_;
    std::map<std::string_view, std::vector<Token>> globals_;
    std::map<std::string_view, bool> written_globals_;

    // Of the kernel.
    std::string_view parameter_, local_;
    int parameter_bytes_ = 0, local_bytes_ = 0;
    std::map<std::string, int, std::less<>> registers_;  // name to bits; 1: a predicate
    Token opcode_{};
    int line_ = 0;
};

}  // namespace

std::string translate_ptx(std::string_view ptx) { return Translator(ptx).program(); }

}  // namespace limrisk::test
