"""cvc5: a solver that shares nothing with the one that makes the proofs."""

import cvc5

MS = "60000"


def answer_of(question: str) -> str:
    """What cvc5 answers to a whole SMT-LIB text."""
    solver = cvc5.Solver()
    solver.setOption("tlimit-per", MS)
    solver.setOption("strings-exp", "true")
    parser = cvc5.InputParser(solver)
    answers: list[str] = []
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, question, "question")
    while not (command := parser.nextCommand()).isNull():
        answers.append(command.invoke(solver, parser.getSymbolManager()).strip())
    return answers[-1]
